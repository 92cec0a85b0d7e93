// Several objectives: the trials over two of them with their front, and how the volume that it dominates has grown.
import { useMemo } from "react";
import type { SweepAnalysis } from "../../api/analysis";
import type { Trial } from "../../api/types";
import { kindsOf } from "../../charts/marks";
import type { ScatterState } from "../../charts/scatter";
import { MarkLegend } from "../../components/MarkLegend";
import { ScatterCard } from "../../components/ScatterCard";
import { formatMetric, plural, toNumber } from "../../format";
import { place, setQuery } from "../../router";
import { type Objective, frontOf, markOf, valueOf } from "../../store/objectives";
import { useStore } from "../../store/store";

interface Props {
  project: string;
  trials: readonly Trial[];
  objectives: readonly Objective[];
  analysis: SweepAnalysis | null;
  held: ReadonlySet<number> | null;
  lit: number | null;
  onLit: (trial: number | null) => void;
}

export function FrontCards({ project, trials, objectives, analysis, held, lit, onLit }: Props) {
  const { query } = useStore(place);
  const [across, up] = pair(query.get("front"), objectives.length);
  const front = useMemo(() => frontOf(trials, objectives), [trials, objectives]);
  const state = useMemo(() => frontState(trials, objectives, across, up, front, held), [trials, objectives, across, up, front, held]);
  const volume = useMemo(() => volumeState(analysis, trials, held), [analysis, trials, held]);
  const choose = (x: number, y: number) => setQuery({ front: x === 0 && y === 1 ? null : `${x}.${y}` });
  return (
    <>
      <ScatterCard title="Pareto front" head={<>Pareto front <span className="muted">{state.y.name} over {state.x.name}, {front.size} of {plural(trials.length, "trial")}</span></>}
        state={state} project={project} lit={lit} onLit={onLit}>
        {objectives.length > 2 ? (
          <div className="chart-foot">
            <Pick word="Across" value={across} objectives={objectives} onChange={(next) => choose(next, next === up ? across : up)} />
            <Pick word="Up" value={up} objectives={objectives} onChange={(next) => choose(next === across ? up : across, next)} />
          </div>
        ) : null}
        <MarkLegend kinds={kindsOf(state.points)} />
      </ScatterCard>
      {volume ? (
        <ScatterCard title="Hypervolume by trial" state={volume} project={project} lit={lit} onLit={onLit}>
          <p className="chart-note muted small">The share of the box between the best and the worst of each objective that lies behind the front.</p>
        </ScatterCard>
      ) : null}
    </>
  );
}

function Pick({ word, value, objectives, onChange }: {
  word: string; value: number; objectives: readonly Objective[]; onChange: (to: number) => void;
}) {
  return (
    <label className="axis-choice"><span className="muted">{word}</span>
      <select className="select" value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {objectives.map(({ name }, i) => <option key={name} value={i}>{name}</option>)}
      </select>
    </label>
  );
}

/** The two objectives of an address; the first two where it says nothing, or nothing sensible. */
function pair(text: string | null, count: number): [number, number] {
  const [x = NaN, y = NaN] = (text ?? "").split(".").map(Number);
  const isPlace = (each: number) => Number.isInteger(each) && each >= 0 && each < count;
  return isPlace(x) && isPlace(y) && x !== y ? [x, y] : [0, 1];
}

function frontState(
  trials: readonly Trial[], objectives: readonly Objective[], across: number, up: number, front: ReadonlySet<number>,
  held: ReadonlySet<number> | null,
): ScatterState {
  const points = trials.map((trial) => {
    const x = valueOf(trial, across);
    return {
      number: trial.number, name: trial.run_name ?? `trial ${trial.number}`, run: trial.run, x, y: valueOf(trial, up), place: formatMetric(x),
      kind: front.has(trial.number) ? "front" as const : markOf(trial), isDim: held !== null && !held.has(trial.number),
    };
  }).filter(({ x, y, kind }) => Number.isFinite(x) && Number.isFinite(y) && kind !== "failed");
  const [first, second] = [objectives[across]!, objectives[up]!];
  const edge = points.filter(({ kind }) => kind === "front").sort((a, b) => a.x - b.x || (second.maximise ? a.y - b.y : b.y - a.y));
  return {
    points,
    // Of more objectives the front is no line over two of them.
    line: objectives.length > 2 || edge.length === 0 ? null
      : { name: "front", points: edge.map(({ x, y }) => ({ x, y })), form: first.maximise ? "down" : "across" },
    x: { name: first.name, log: false, domain: null, classes: null },
    y: { name: second.name, log: false },
  };
}

function volumeState(
  analysis: SweepAnalysis | null, trials: readonly Trial[], held: ReadonlySet<number> | null,
): ScatterState | null {
  const found = analysis?.hypervolume;
  if (!found || found.trials.length === 0) return null;
  const byNumber = new Map(trials.map((trial) => [trial.number, trial]));
  const steps = found.trials.map((number, i) => ({ x: number, y: toNumber(found.volumes[i]) }));
  const end = Math.max(steps[steps.length - 1]!.x, trials[trials.length - 1]?.number ?? 0);
  return {
    points: steps.map(({ x, y }) => {
      const trial = byNumber.get(x);
      return { number: x, name: trial?.run_name ?? `trial ${x}`, run: trial?.run ?? null, x, y, place: String(x), kind: "complete", isDim: held !== null && !held.has(x) };
    }),
    line: { name: "hypervolume", form: "across", points: [...steps, { x: end, y: steps[steps.length - 1]!.y }] },
    x: { name: "trial", log: false, domain: [Math.min(0, steps[0]!.x), end], classes: null },
    y: { name: "hypervolume", log: false },
  };
}
