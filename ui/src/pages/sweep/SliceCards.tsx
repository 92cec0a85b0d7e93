// Each parameter alone: the metric of all trials over its values, and the mean over all other parameters.
import { memo, useMemo, useState } from "react";
import type { SweepAnalysis } from "../../api/analysis";
import type { Parameter, Trial } from "../../api/types";
import { parameterAxis, placeOn, scaleOf } from "../../charts/axes";
import { kindsOf } from "../../charts/marks";
import type { ScatterState } from "../../charts/scatter";
import { Button } from "../../components/basics";
import { MarkLegend } from "../../components/MarkLegend";
import { ScatterCard } from "../../components/ScatterCard";
import { formatShare, formatValue, toNumber } from "../../format";
import { type Objective, markOf, valueOf } from "../../store/objectives";
import { parameterOf } from "../../store/parallel";

interface Props {
  project: string;
  parameters: readonly Parameter[];
  trials: readonly Trial[];
  objective: Objective;
  /** The objective's place. */
  at: number;
  log: boolean;
  analysis: SweepAnalysis | null;
  held: ReadonlySet<number> | null;
  lit: number | null;
  onLit: (trial: number | null) => void;
}

const AT_FIRST = 6;

export function SliceCards(props: Props) {
  const { parameters, analysis, objective, trials } = props;
  const [all, setAll] = useState(false);
  const shares = useMemo(() => new Map(analysis?.importance.parameters.map(({ name, variance }) => [name, variance])), [analysis]);
  const searched = useMemo(() => {
    const several = parameters.filter(({ kind, values }) => kind !== "constant" && values?.length !== 1);
    // What matters most comes first; before that is known the order of the file holds.
    return several.map((parameter, i) => ({ parameter, i, share: shares.get(parameter.name) ?? 0 }))
      .sort((a, b) => b.share - a.share || a.i - b.i);
  }, [parameters, shares]);
  const kinds = useMemo(() => kindsOf(trials.filter((trial) => Number.isFinite(valueOf(trial, props.at))).map((trial) => ({ kind: markOf(trial) }))),
    [trials, props.at]);
  if (searched.length === 0) return null;
  const shown = all ? searched : searched.slice(0, AT_FIRST);
  return (
    <section aria-label="Each parameter alone" className="slices">
      <h2 className="section-title">Each parameter alone
        <span className="muted small">{objective.name} over its values; the line is the mean over all others, by a random forest</span></h2>
      <div className="cards">
        {shown.map(({ parameter, share }) => <SliceCard key={parameter.name} {...props} parameter={parameter} share={share} />)}
      </div>
      <div className="slices-foot">
        <MarkLegend kinds={kinds} />
        {searched.length > AT_FIRST ? <Button onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${searched.length}`}</Button> : null}
      </div>
    </section>
  );
}

const SliceCard = memo(function SliceCard({ parameter, share, project, trials, objective, at, log, analysis, held, lit, onLit }: Props & {
  parameter: Parameter; share: number;
}) {
  const state = useMemo(
    () => sliceState(parameter, trials, objective, at, log, analysis, held), [parameter, trials, objective, at, log, analysis, held],
  );
  return (
    <ScatterCard title={`${objective.name} over ${parameter.name}`} project={project} state={state} lit={lit} onLit={onLit}
      head={<>{parameter.name}{share >= 0.005 ? <span className="muted"> {formatShare(share)}</span> : null}</>} />
  );
});

export function sliceState(
  parameter: Parameter, trials: readonly Trial[], objective: Objective, at: number, log: boolean, analysis: SweepAnalysis | null,
  held: ReadonlySet<number> | null = null,
): ScatterState {
  const rows = trials.filter(({ state }) => state !== "failed")
    .map((trial) => ({ trial, value: parameterOf(trial, parameter.name), y: valueOf(trial, at) }));
  const axis = parameterAxis(parameter, rows.map(({ value }) => value));
  const slice = analysis?.slices.find(({ name }) => name === parameter.name);
  const line = slice?.values.map((value, i) => ({ x: placeOn(axis, value), y: toNumber(slice.metric[i]) }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)) ?? [];
  return {
    points: rows.filter(({ y }) => Number.isFinite(y)).map(({ trial, value, y }) => ({
      number: trial.number, name: trial.run_name ?? `trial ${trial.number}`, run: trial.run, kind: markOf(trial), x: placeOn(axis, value), y,
      place: formatValue(value), isDim: held !== null && !held.has(trial.number),
    })).filter(({ x }) => Number.isFinite(x)),
    line: line.length === 0 ? null : { name: "mean", points: line, form: "straight" },
    x: { name: parameter.name, ...scaleOf(axis) },
    y: { name: objective.name, log },
  };
}
