// Which share of the trials is at least as good as a value.
import type { SweepAnalysis } from "../api/analysis";
import type { Trial } from "../api/types";
import type { ScatterState } from "../charts/scatter";
import { formatMetric, formatShare, toNumber } from "../format";
import { type Objective, valueOf } from "./objectives";

/** The trials that came to their end with a value of an objective. */
export function measured(trials: readonly Trial[], objective: number): Trial[] {
  return trials.filter((trial) => trial.state === "complete" && Number.isFinite(valueOf(trial, objective)));
}

/** Of each trial which share of all is at least as good, by its number. */
export function sharesOf(trials: readonly Trial[], objective: number, maximise: boolean): Map<number, number> {
  const sign = maximise ? -1 : 1;
  const sorted = measured(trials, objective).map((trial) => ({ number: trial.number, loss: sign * valueOf(trial, objective) })).sort((a, b) => a.loss - b.loss);
  const shares = new Map<number, number>();
  for (let i = sorted.length - 1, share = 1; i >= 0; i--) {
    if (i === sorted.length - 1 || sorted[i]!.loss !== sorted[i + 1]!.loss) share = (i + 1) / sorted.length;
    shares.set(sorted[i]!.number, share);
  }
  return shares;
}

/** The line of a distribution from left to right, from no trial at all on. */
export function curveOf(points: readonly { x: number; y: number }[], maximise: boolean): { x: number; y: number }[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || (maximise ? b.y - a.y : a.y - b.y));
  if (sorted.length === 0) return [];
  return maximise ? [...sorted, { x: sorted[sorted.length - 1]!.x, y: 0 }] : [{ x: sorted[0]!.x, y: 0 }, ...sorted];
}

/** The distribution that the server told of another sweep. */
export function toldCurve({ distribution }: SweepAnalysis, maximise: boolean): { x: number; y: number }[] {
  const points = distribution.metric.map((metric, i) => ({ x: toNumber(metric), y: distribution.share[i]! }));
  return curveOf(points.filter(({ x }) => Number.isFinite(x)), maximise);
}

/** Another sweep's distribution. */
export interface Other {
  name: string;
  points: { x: number; y: number }[];
}

/** Each complete trial at its value and its share, with the line of all, and another sweep's. */
export function distributionState(
  trials: readonly Trial[], objective: Objective, at: number, log: boolean, held: ReadonlySet<number> | null, other: Other | null,
): ScatterState {
  const shares = sharesOf(trials, at, objective.maximise);
  const points = measured(trials, at).map((trial) => {
    const [x, y] = [valueOf(trial, at), shares.get(trial.number)!];
    return {
      number: trial.number, name: trial.run_name ?? `trial ${trial.number}`, run: trial.run, kind: "complete" as const, x, y, place: formatMetric(x),
      height: `${formatShare(y)} of the trials`, isDim: held !== null && !held.has(trial.number),
    };
  });
  const form = objective.maximise ? "down" as const : "across" as const;
  return {
    points,
    line: points.length === 0 ? null : { name: "this sweep", form, points: curveOf(points, objective.maximise) },
    other: other === null || other.points.length === 0 ? null : { name: other.name, form, points: other.points.filter(({ x }) => !log || x > 0) },
    x: { name: objective.name, log, domain: null, classes: null },
    y: { name: "at least as good", log: false, domain: [0, 1] },
  };
}
