// Two parameters over each other, each trial in the colour of its rank: where the good ones lie together.
import { useMemo } from "react";
import type { SweepAnalysis } from "../../api/analysis";
import type { Parameter, Trial } from "../../api/types";
import { ScatterCard } from "../../components/ScatterCard";
import { place, setQuery } from "../../router";
import type { Objective } from "../../store/objectives";
import { pairOf, rankState } from "../../store/ranks";
import { useStore } from "../../store/store";

interface Props {
  project: string;
  parameters: readonly Parameter[];
  trials: readonly Trial[];
  objective: Objective;
  /** The objective's place. */
  at: number;
  analysis: SweepAnalysis | null;
  held: ReadonlySet<number> | null;
  lit: number | null;
  onLit: (trial: number | null) => void;
}

export function RankCard({ project, parameters, trials, objective, at, analysis, held, lit, onLit }: Props) {
  const asked = useStore(place).query.get("ranks");
  const searched = useMemo(() => parameters.filter(({ kind, values }) => kind !== "constant" && values?.length !== 1), [parameters]);
  const names = useMemo(() => searched.map(({ name }) => name), [searched]);
  const [across, up] = useMemo(() => pairOf(asked, names, analysis), [asked, names, analysis]);
  const state = useMemo(() => {
    const [x, y] = [searched.find(({ name }) => name === across), searched.find(({ name }) => name === up)];
    return x && y ? rankState(x, y, trials, objective, at, held) : null;
  }, [searched, across, up, trials, objective, at, held]);
  if (state === null) return null;
  const choose = (x: string, y: string) => setQuery({ ranks: [x, y].map(encodeURIComponent).join(",") });
  const pick = (word: string, value: string, onChange: (name: string) => void) => (
    <label className="axis-choice"><span className="muted">{word}</span>
      <select className="select" value={value} onChange={(event) => onChange(event.target.value)}>
        {names.map((name) => <option key={name}>{name}</option>)}
      </select>
    </label>
  );
  return (
    <ScatterCard title={`Ranks over ${across} and ${up}`} head={<>Ranks <span className="muted">by {objective.name}, {up} over {across}</span></>}
      state={state} project={project} lit={lit} onLit={onLit}>
      {state.points.length === 0 ? <p className="chart-note muted small">No trial has come to its end with a value of {objective.name} yet.</p> : null}
      <div className="chart-foot">
        {pick("Across", across, (next) => choose(next, next === up ? across : up))}
        {pick("Up", up, (next) => choose(next === across ? up : across, next))}
        <span className="ramp"><span>best</span><span className="ramp-bar" /><span>worst</span></span>
      </div>
    </ScatterCard>
  );
}
