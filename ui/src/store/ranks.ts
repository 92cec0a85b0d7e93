// Where each trial stands among all, and two parameters over each other in the colours of that.
import type { SweepAnalysis } from "../api/analysis";
import type { Parameter, Trial } from "../api/types";
import { parameterAxis, placeOn, scaleOf } from "../charts/axes";
import type { ScatterState } from "../charts/scatter";
import { formatMetric, formatValue } from "../format";
import { measured } from "./distribution";
import { type Objective, valueOf } from "./objectives";
import { parameterOf } from "./parallel";

/** Each trial's place among all by an objective, by its number: 0 the best, 1 the worst; equals share the middle of their places. */
export function ranksOf(trials: readonly Trial[], objective: number, maximise: boolean): Map<number, number> {
  const sign = maximise ? -1 : 1;
  const sorted = measured(trials, objective).map((trial) => ({ number: trial.number, loss: sign * valueOf(trial, objective) })).sort((a, b) => a.loss - b.loss);
  const ranks = new Map<number, number>();
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]!.loss === sorted[start]!.loss) end++;
    const middle = (start + end - 1) / 2 / Math.max(1, sorted.length - 1);
    for (const { number } of sorted.slice(start, end)) ranks.set(number, middle);
    start = end;
  }
  return ranks;
}

/** The two parameters of an address; else the pair that matters most together, then those that matter most, then the first. */
export function pairOf(asked: string | null, names: readonly string[], analysis: SweepAnalysis | null): [string, string] {
  const told = (asked ?? "").split(",").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return ""; // made by hand
    }
  });
  const strongest = analysis?.importance.interactions[0];
  const pairs = [told, strongest ? [strongest.first, strongest.second] : [], analysis?.importance.parameters.map(({ name }) => name) ?? [], names];
  for (const [x, y] of pairs) if (x !== undefined && y !== undefined && x !== y && names.includes(x) && names.includes(y)) return [x, y];
  return ["", ""];
}

export function rankState(
  across: Parameter, up: Parameter, trials: readonly Trial[], objective: Objective, at: number, held: ReadonlySet<number> | null,
): ScatterState {
  const ranks = ranksOf(trials, at, objective.maximise);
  const rows = measured(trials, at).map((trial) => ({ trial, x: parameterOf(trial, across.name), y: parameterOf(trial, up.name) }));
  const axes = [parameterAxis(across, rows.map(({ x }) => x)), parameterAxis(up, rows.map(({ y }) => y))] as const;
  return {
    points: rows.map(({ trial, x, y }) => ({
      number: trial.number, name: trial.run_name ?? `trial ${trial.number}`, run: trial.run, kind: "complete" as const, heat: ranks.get(trial.number)!,
      x: placeOn(axes[0], x), y: placeOn(axes[1], y), place: formatValue(x), height: formatValue(y), isDim: held !== null && !held.has(trial.number),
      more: [{ name: objective.name, value: formatMetric(valueOf(trial, at)) }],
    })).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
    line: null,
    x: { name: across.name, ...scaleOf(axes[0]) },
    y: { name: up.name, ...scaleOf(axes[1]) },
  };
}
