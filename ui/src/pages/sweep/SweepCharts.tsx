// What a sweep's trials say, live: every trial over all parameters, the history, the front, what matters, each parameter alone,
// and how the search goes about it.
import { useDeferredValue, useEffect, useMemo } from "react";
import type { SweepAnalysis } from "../../api/analysis";
import type { Sweep, Trial } from "../../api/types";
import { Failure, Segmented } from "../../components/basics";
import { HistoryCard } from "../../components/HistoryCard";
import { ParallelCard } from "../../components/ParallelCard";
import { place, setQuery } from "../../router";
import { AnalysisStore } from "../../store/analysis";
import { type Objective, markOf, objectivesOf, valueOf } from "../../store/objectives";
import { useOwned } from "../../store/owned";
import { usePaced } from "../../store/paced";
import { Store, useStore } from "../../store/store";
import { bestSoFar, progressOf } from "../../store/sweeps";
import { CurvesCard } from "./CurvesCard";
import { DistributionCard } from "./DistributionCard";
import { Findings } from "./Findings";
import { FrontCards } from "./FrontCards";
import { ImportanceCard } from "./ImportanceCard";
import { MethodCard } from "./MethodCard";
import { RankCard } from "./RankCard";
import { SliceCards } from "./SliceCards";
import { StoppingCard } from "./StoppingCard";
import { TimelineCard } from "./TimelineCard";

interface Props {
  sweep: Sweep;
  trials: readonly Trial[];
  lit: number | null;
  onLit: (trial: number | null) => void;
  /** The numbers of the trials that the parallel coordinates hold; null: all. */
  held: ReadonlySet<number> | null;
  onBrush: (trials: ReadonlySet<number> | null) => void;
}

const EVERY = 2000; // milliseconds between two drawings of all trials
const NONE = new Store(null);

export function SweepCharts({ sweep, trials, lit, onLit, held: chosenNow, onBrush }: Props) {
  // While a brush is dragged the other charts follow as they find time.
  const held = useDeferredValue(chosenNow);
  const { query } = useStore(place);
  // Equal content is the same list, so that charts are drawn anew for trials, not for each message.
  const told = JSON.stringify(objectivesOf(sweep));
  const objectives = useMemo(() => JSON.parse(told) as Objective[], [told]);
  const chosen = Number(query.get("objective") ?? 0);
  const at = objectives[chosen] === undefined ? 0 : chosen;
  const objective = objectives[at];
  const paced = usePaced(trials, EVERY);
  const begun = useMemo(() => paced.filter(({ state }) => state !== "waiting"), [paced]);
  const parameterText = JSON.stringify(sweep.parameters);
  const parameters = useMemo(() => JSON.parse(parameterText) as Sweep["parameters"], [parameterText]);
  const total = progressOf(sweep).total;
  const mayBeLog = useMemo(() => begun.every((trial) => !(valueOf(trial, at) <= 0)), [begun, at]);
  const log = mayBeLog && query.get("y") === "log";
  const history = useMemo(() => ({
    points: begun.map((trial) => ({
      number: trial.number, name: trial.run_name ?? `trial ${trial.number}`, kind: markOf(trial), objective: valueOf(trial, at), run: trial.run,
      isDim: held !== null && !held.has(trial.number),
    })),
    best: bestSoFar(begun, objective?.maximise ?? false, at), total, log,
  }), [begun, objective?.maximise, at, total, log, held]);
  const { analysis, store } = useAnalysis(sweep, objective === undefined ? null : at);
  const error = useStore(store?.error ?? NONE);
  return (
    <>
      {objectives.length > 1 ? (
        <div className="objective-choice"><span className="muted">Objective</span>
          <Segmented label="Objective" value={String(at)} options={objectives.map(({ name }, i) => [String(i), name] as const)}
            onChange={(next) => setQuery({ objective: next === "0" ? null : next })} />
        </div>
      ) : null}
      {error && store ? <Failure error={error} retry={store.read} /> : null}
      {objective && !(error && analysis === null) ? <Findings analysis={analysis} objective={objective} trials={begun} /> : null}
      {parameters.length > 0 ? (
        <ParallelCard project={sweep.project} parameters={parameters} trials={begun} objectives={objectives} lit={lit} onLit={onLit} onBrush={onBrush} />
      ) : null}
      <div className="sweep-charts">
        {objective === undefined ? null : (
          <HistoryCard title={`${objective.name} by trial`} state={history} project={sweep.project} mayBeLog={mayBeLog} lit={lit} onLit={onLit} />
        )}
        {objectives.length > 1 ? (
          <FrontCards project={sweep.project} trials={begun} objectives={objectives} analysis={analysis} held={held} lit={lit} onLit={onLit} />
        ) : null}
        {objective === undefined || (error && analysis === null) ? null : <ImportanceCard analysis={analysis} objective={objective} />}
      </div>
      {objective === undefined ? null : (
        <SliceCards project={sweep.project} parameters={parameters} trials={begun} objective={objective} at={at} log={log}
          analysis={analysis} held={held} lit={lit} onLit={onLit} />
      )}
      {objective === undefined ? null : (
        <div className="sweep-charts">
          <RankCard project={sweep.project} parameters={parameters} trials={begun} objective={objective} at={at} analysis={analysis}
            held={held} lit={lit} onLit={onLit} />
          <DistributionCard sweep={sweep} trials={begun} objective={objective} at={at} log={log} held={held} lit={lit} onLit={onLit} />
        </div>
      )}
      {objective === undefined ? null : <CurvesCard sweep={sweep} trials={begun} objective={objective} lit={lit} onLit={onLit} />}
      <div className="sweep-charts">
        <MethodCard sweep={sweep} analysis={analysis} />
        <StoppingCard sweep={sweep} trials={begun} analysis={analysis} />
      </div>
      <TimelineCard sweep={sweep} trials={begun} />
    </>
  );
}

/** What the server found of an objective; null: nothing yet. */
function useAnalysis(sweep: Sweep, objective: number | null): { analysis: SweepAnalysis | null; store: AnalysisStore | null } {
  const { id, counts, space_version = 1 } = sweep;
  const store = useOwned(() => new AnalysisStore(id, objective ?? 0), [id, objective]);
  const analysis = useStore(store?.state ?? NONE);
  const stamp = `${counts.complete}.${counts.pruned}.${counts.failed}.${space_version}`;
  useEffect(() => {
    if (objective !== null) store?.follow(stamp);
  }, [store, stamp, objective]);
  return { analysis, store };
}
