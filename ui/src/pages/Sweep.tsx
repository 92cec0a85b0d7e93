// One sweep, while it runs and after: how far it is, the best so far, every trial ranked.
import { useCallback, useEffect, useMemo, useState } from "react";
import { mayRun } from "../api/client";
import type { Sweep, Trial } from "../api/types";
import { Button, Failure, Link, Skeleton, useNow, usePhone } from "../components/basics";
import { SweepProgress } from "../components/SweepProgress";
import { formatDuration, formatMetric, formatValue, toNumber } from "../format";
import { useKeys } from "../keys";
import { navigate, pathOf } from "../router";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { SweepStore, maximises, progressOf, rank, sweepHasEnded } from "../store/sweeps";
import { Preparation } from "./sweep/Preparation";
import { SweepHead } from "./sweep/SweepHead";
import { PauseNote } from "./sweep/PauseNote";
import { RunAgain } from "./sweep/RunAgain";
import { SweepSettings } from "./sweep/SweepSettings";
import { StopStages } from "./sweep/StopStages";
import { SweepCharts } from "./sweep/SweepCharts";
import { Definition } from "./sweep/Definition";
import { TrialsTable } from "./TrialsTable";

export function SweepPage({ id }: { id: string }) {
  const store = useOwned(() => new SweepStore(id), [id]);
  return store ? <Loaded key={id} store={store} /> : null;
}

function Loaded({ store }: { store: SweepStore }) {
  const state = useStore(store.state);
  const error = useStore(store.follow.error);
  if (!state) {
    return <div className="page">{error ? <Failure error={error} retry={store.follow.read} /> : <Skeleton rows={8} label="Reading the sweep" />}</div>;
  }
  return (
    <div className="page">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      <Face sweep={state.sweep} trials={state.trials} />
    </div>
  );
}

function Face({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  const phone = usePhone();
  const [lit, setLit] = useState<number | null>(null);
  const [active, setActive] = useState<string | null>(null);
  const maximise = maximises(sweep);
  const ranked = useMemo(() => rank(trials, maximise), [trials, maximise]);
  const objective = sweep.metric?.name ?? "objective";
  const [again, setAgain] = useState<number | null>(null);
  const repeated = again === null ? undefined : trials.find(({ number }) => number === again);
  const mayRepeat = mayRun() && sweep.state !== "draining";
  const [brushed, setBrushed] = useState<ReadonlySet<number> | null>(null);
  const listed = useMemo(() => (brushed === null ? ranked : ranked.filter(({ number }) => brushed.has(number))), [ranked, brushed]);
  const light = useCallback((number: number | null) => {
    setLit(number);
    setActive(number === null ? null : `t${number}`);
  }, []);
  const open = (trial: Trial) => {
    if (trial.run !== null) navigate(pathOf({ page: "run", project: sweep.project, run: trial.run }));
  };
  const step = (by: number) => {
    const at = listed.findIndex((trial) => `t${trial.number}` === active);
    const next = listed[Math.min(listed.length - 1, Math.max(0, at + by))];
    if (next) light(next.number);
  };
  useKeys([
    { key: "j", does: "next trial", run: () => step(1) },
    { key: "k", does: "previous trial", run: () => step(-1) },
    {
      key: "Enter", does: "open the trial's run",
      run: () => {
        const trial = ranked.find((each) => `t${each.number}` === active);
        if (trial) open(trial);
      },
    },
    ...(mayRepeat ? [{
      key: "a", does: "run the trial again",
      run: () => {
        const trial = ranked.find((each) => `t${each.number}` === active);
        if (trial && trial.ended_at !== null) setAgain(trial.number);
      },
    }] : []),
  ]);
  const bestTrial = trials.find(({ number }) => number === sweep.best?.trial);
  useEffect(() => {
    document.title = `${sweep.name} · ${sweep.project} · Martlet`;
  }, [sweep.name, sweep.project]);
  const best = sweep.best;
  return (
    <>
      <SweepHead sweep={sweep} trials={trials} />
      <Preparation sweep={sweep} />
      <PauseNote sweep={sweep} trials={trials} />
      <StopStages sweep={sweep} trials={trials} />
      <div className="sweep-top">
        <section className="card" aria-label="Progress">
          <SweepProgress sweep={sweep} />
          <SweepTimes sweep={sweep} trials={trials} />
          <SweepSettings key={sweep.id} sweep={sweep} />
        </section>
        <section className="card best-card" aria-label="Best so far">
          <h2>{sweepHasEnded(sweep.state) ? "Best" : "Best so far"}</h2>
          {best === null ? <p className="muted">No trial has finished with {objective} yet.</p> : (
            <>
              <p className="best-value"><strong>{formatMetric(toNumber(best.objective))}</strong>
                <span className="muted">{objective}</span></p>
              <p><Link to={pathOf({ page: "run", project: sweep.project, run: best.run })} className="run-link">{best.run_name}</Link></p>
              <BestParameters trial={bestTrial} />
              {bestTrial && mayRepeat ? <p><Button icon="again" onClick={() => setAgain(best.trial)}>Run it again…</Button></p> : null}
            </>
          )}
        </section>
      </div>
      <SweepCharts sweep={sweep} trials={trials} lit={lit} onLit={light} held={brushed} onBrush={setBrushed} />
      <section className="trials" aria-label="Trials">
        <h2 className="section-title">Trials
          <span className="count">{brushed === null ? trials.length : `${listed.length} of ${trials.length}`}</span>
          <span className="muted small">{maximise ? "highest" : "lowest"} {objective} first{sweep.search?.constraints ? ", of those that meet the constraints" : ""}</span></h2>
        <TrialsTable sweep={sweep} trials={listed} active={active} best={best?.trial ?? null} phone={phone}
          onOpen={open} onHover={(trial) => setLit(trial?.number ?? null)} onAgain={(trial) => setAgain(trial.number)} />
      </section>
      {repeated ? <RunAgain sweep={sweep} trial={repeated} onClose={() => setAgain(null)} /> : null}
      <Definition sweep={sweep} />
    </>
  );
}

function SweepTimes({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  return sweepHasEnded(sweep.state) ? <Times sweep={sweep} trials={trials} now={sweep.ended_at ?? sweep.created_at} />
    : <TickingTimes sweep={sweep} trials={trials} />;
}

function TickingTimes(props: { sweep: Sweep; trials: readonly Trial[] }) {
  return <Times {...props} now={useNow()} />;
}

function Times({ sweep, trials, now }: { sweep: Sweep; trials: readonly Trial[]; now: number }) {
  if (sweep.started_at === null) return <p className="muted">Not started yet.</p>;
  const { ended, total } = progressOf(sweep);
  const times = trials.flatMap(({ started_at, ended_at }) => (started_at !== null && ended_at !== null ? [ended_at - started_at] : []));
  const mean = times.length === 0 ? null : times.reduce((sum, each) => sum + each, 0) / times.length;
  const left = mean !== null && total !== null && !sweepHasEnded(sweep.state)
    ? (mean * Math.max(0, total - ended)) / Math.max(1, sweep.max_parallel || sweep.counts.running) : null;
  return (
    <dl className="times">
      <div><dt>{sweepHasEnded(sweep.state) ? "Took" : "Running for"}</dt><dd>{formatDuration(now - sweep.started_at)}</dd></div>
      {mean === null ? null : <div><dt>A trial takes</dt><dd>{formatDuration(mean)}</dd></div>}
      {left === null || left <= 0 ? null : <div><dt>Left, about</dt><dd>{formatDuration(left)}</dd></div>}
    </dl>
  );
}

function BestParameters({ trial }: { trial: Trial | undefined }) {
  if (!trial) return null;
  return (
    <p className="best-parameters">
      {Object.entries(trial.params).map(([name, value]) => (
        <span key={name} className="tag"><span className="muted">{name}</span> {formatValue(value)}</span>
      ))}
    </p>
  );
}
