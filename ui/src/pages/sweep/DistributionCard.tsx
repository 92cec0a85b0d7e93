// How good the trials are as a whole: which share of them is at least as good as each value, beside another sweep's.
import { useMemo } from "react";
import { readAnalysis } from "../../api/analysis";
import { api } from "../../api/client";
import { sweepAPI } from "../../api/sweeps";
import type { Sweep, Trial } from "../../api/types";
import { Failure } from "../../components/basics";
import { ScatterCard } from "../../components/ScatterCard";
import { place, setQuery } from "../../router";
import { type Other, distributionState, toldCurve } from "../../store/distribution";
import { type Objective, objectivesOf } from "../../store/objectives";
import { useOnce } from "../../store/once";
import { useStore } from "../../store/store";

const OFFERED = 50; // of the project's newest sweeps

interface Props {
  sweep: Sweep;
  trials: readonly Trial[];
  objective: Objective;
  /** The objective's place. */
  at: number;
  log: boolean;
  held: ReadonlySet<number> | null;
  lit: number | null;
  onLit: (trial: number | null) => void;
}

export function DistributionCard({ sweep, trials, objective, at, log, held, lit, onLit }: Props) {
  const chosen = useStore(place).query.get("beside");
  const list = useOnce(async (signal) => {
    const all = await sweepAPI.newest(sweep.project, OFFERED, signal);
    return all.filter((each) => each.id !== sweep.id && placeIn(each, objective) !== null);
  }, `${sweep.project} ${sweep.id} ${objective.name} ${objective.maximise}`);
  const { value: other, error, again } = useOnce(async (signal): Promise<Other | null> => {
    if (!chosen) return null;
    const beside = await api.sweep(chosen, signal);
    const theirs = placeIn(beside, objective);
    if (theirs === null) return { name: beside.name, points: [] };
    const analysis = await readAnalysis(chosen, theirs, signal);
    return { name: beside.name, points: toldCurve(analysis, objective.maximise) };
  }, `${chosen} ${objective.name} ${objective.maximise}`);
  const offered = list.value ?? [];
  // An address may name a sweep that is none of the newest.
  const isOffered = offered.some(({ id }) => id === chosen);
  const state = useMemo(
    () => distributionState(trials, objective, at, log, held, chosen ? other : null), [trials, objective, at, log, held, chosen, other],
  );
  const title = `Share of trials by ${objective.name}`;
  return (
    <ScatterCard title={title} head={<>Share of trials <span className="muted">at least as good as each {objective.name} (EDF)</span></>}
      state={state} project={sweep.project} lit={lit} onLit={onLit}>
      {state.points.length === 0 ? <p className="chart-note muted small">No trial has come to its end with a value of {objective.name} yet.</p> : null}
      {error ? <Failure error={error} retry={again} /> : null}
      {list.error ? <Failure error={list.error} retry={list.again} /> : null}
      {offered.length === 0 && !chosen ? null : (
        <div className="chart-foot">
          <label className="axis-choice beside"><span className="muted">Beside</span>
            <select className="select" value={chosen ?? ""} onChange={(event) => setQuery({ beside: event.target.value === "" ? null : event.target.value })}>
              <option value="">no other sweep</option>
              {!chosen || isOffered ? null : <option value={chosen}>{other?.name ?? "sweep"} ({chosen})</option>}
              {offered.map(({ id, name }) => <option key={id} value={id}>{name} ({id})</option>)}
            </select>
          </label>
          {state.other ? <span className="other-line"><span aria-hidden="true" />{state.other.name}</span> : null}
          {chosen && other?.points.length === 0 ? <span className="muted small">{other.name} has no trial with a value of {objective.name}</span> : null}
        </div>
      )}
    </ScatterCard>
  );
}

/** Where another sweep has the same objective; null: nowhere. */
function placeIn(sweep: Sweep, { name, maximise }: Objective): number | null {
  const at = objectivesOf(sweep).findIndex((each) => each.name === name && each.maximise === maximise);
  return at < 0 ? null : at;
}
