// The metric of trials while they train: a line each, with a mark where one was ended early or failed.
import { useEffect, useMemo, useRef, useState } from "react";
import type { Sweep, Trial } from "../../api/types";
import { ChartBus } from "../../charts/bus";
import type { Line, View } from "../../charts/line";
import { type MarkKind, kindsOf } from "../../charts/marks";
import { COLOURS } from "../../charts/palette";
import { LineCard } from "../../components/LineCard";
import { MarkLegend } from "../../components/MarkLegend";
import { formatCount } from "../../format";
import type { Objective } from "../../store/objectives";
import { useOwned } from "../../store/owned";
import { SeriesStore } from "../../store/series";
import { place } from "../../router";
import { useStore } from "../../store/store";
import { useSame } from "../RunsCharts";

const MOST = 200; // lines: more are a carpet

const ENDS: ReadonlySet<string> = new Set<MarkKind>(["pruned", "failed", "paused"]);

interface Props {
  sweep: Sweep;
  trials: readonly Trial[];
  objective: Objective;
  lit: number | null;
  onLit: (trial: number | null) => void;
}

export function CurvesCard(props: Props) {
  const { trials } = props;
  // One value each is no curve.
  const curved = trials.some(({ state, metrics }) => state === "running" || (metrics !== null && metrics.min !== metrics.max));
  return curved ? <Curves {...props} /> : null;
}

/** What the series of a trial's run stand by; null while it may go on. */
const endOf = (trial: Trial | undefined): string | null =>
  (trial === undefined || trial.ended_at === null ? null : [trial.run_state, trial.attempts, trial.ended_at].join(" "));

function Curves({ sweep, trials, objective, lit, onLit }: Props) {
  const { query } = useStore(place);
  const [bus] = useState(() => new ChartBus());
  const drawn = useMemo(() => trials.filter(({ run }) => run !== null).slice(-MOST), [trials]);
  const byRun = useMemo(() => new Map(drawn.map((trial) => [trial.run!, trial])), [drawn]);
  const latest = useRef(byRun);
  useEffect(() => {
    latest.current = byRun;
  });
  const series = useOwned(() => new SeriesStore((run) => endOf(latest.current.get(run))), [sweep.id]);
  const ids = drawn.map(({ run }) => run).join(".");
  useEffect(() => series?.setRuns(ids === "" ? [] : ids.split(".")), [series, ids]);
  useEffect(() => series?.look(), [series, drawn]);
  // The run that is lit in the chart is the trial that is lit on the page, and the other way round.
  const told = useRef(false);
  useEffect(() => bus.onCursor(() => {
    if (!told.current) onLit(bus.hot === null ? null : latest.current.get(bus.hot)?.number ?? null);
  }), [bus, onLit]);
  useEffect(() => {
    const run = drawn.find(({ number }) => number === lit)?.run ?? null;
    if (run === bus.hot) return;
    told.current = true;
    bus.point(null, run);
    told.current = false;
  }, [bus, drawn, lit]);
  const lines = useSame(drawn.map(({ run, number, run_name, state }): Line => ({
    id: run!, name: run_name ?? `trial ${number}`, slot: number % COLOURS, ...(ENDS.has(state) ? { end: state as MarkKind } : {}),
  })));
  const log = query.get("y") === "log";
  const view = useMemo((): View => ({ smoothing: 0, log, axis: "step" }), [log]);
  const foot = useMemo(() => {
    const kinds = kindsOf(lines.flatMap(({ end }) => (end === undefined ? [] : [{ kind: end }])));
    return kinds.length === 0 ? null : <MarkLegend kinds={kinds} />;
  }, [lines]);
  if (!series) return null;
  return (
    <section aria-label="Curves" className="curves">
      <h2 className="section-title">Curves
        <span className="muted small">{objective.name} while trials train{drawn.length < trials.length ? `, of the newest ${formatCount(drawn.length)}` : ""}</span></h2>
      <LineCard metric={objective.name} lines={lines} view={view} bus={bus} store={series} foot={foot} />
    </section>
  );
}
