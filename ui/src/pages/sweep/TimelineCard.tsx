// When the trials of a sweep ran, side by side: how many at a time, how long each took, and where nothing ran.
import { useEffect, useMemo, useRef, useState } from "react";
import type { Sweep, Trial } from "../../api/types";
import { COLOURS } from "../../charts/palette";
import { LanesChart, lanesHeight } from "../../charts/lanes";
import { useNow } from "../../components/basics";
import { formatDuration, formatShare, plural } from "../../format";
import { navigate, pathOf } from "../../router";
import type { Span } from "../../store/lanes";
import { sweepHasEnded } from "../../store/sweeps";
import { type TrialLanes, trialLanes } from "../../store/triallanes";

const MOST_LANES = 24;
const EVERY = 5e6; // microseconds after which a bar that grows is drawn again

export function TimelineCard({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  const runs = trials.some(({ started_at, ended_at }) => started_at !== null && ended_at === null);
  return runs && !sweepHasEnded(sweep.state) ? <Ticking sweep={sweep} trials={trials} /> : <Timeline sweep={sweep} trials={trials} now={0} />;
}

function Ticking(props: { sweep: Sweep; trials: readonly Trial[] }) {
  return <Timeline {...props} now={Math.floor(useNow() / EVERY) * EVERY} />;
}

function Timeline({ sweep, trials, now }: { sweep: Sweep; trials: readonly Trial[]; now: number }) {
  const { id, project } = sweep;
  const found = useMemo(() => trialLanes(trials, project, id, now), [trials, project, id, now]);
  return found === null ? null : <Lanes found={found} now={now} />;
}

function Lanes({ found, now }: { found: TrialLanes; now: number }) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<LanesChart | null>(null);
  const [reading, setReading] = useState("");
  useEffect(() => {
    const made = new LanesChart(body.current!, "When trials ran");
    made.onReading = setReading;
    made.onOpen = ({ run, project }) => {
      if (run !== null && project !== null) navigate(pathOf({ page: "run", project, run }));
    };
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const told = ({ from, to, state }: Span) => `${state}, ${to === null ? `for ${formatDuration(now - from)}` : formatDuration(to - from)}`;
    chart.current?.set({ lanes: found.lanes.slice(0, MOST_LANES), window: found.window, now, slot: ({ trial }) => (trial ?? 0) % COLOURS, told });
  }, [found, now]);
  const shown = Math.min(MOST_LANES, found.lanes.length);
  return (
    <section className="chart-card lanes-card" aria-label="When trials ran">
      <header className="chart-head">
        <h3>When trials ran <span className="muted">{plural(found.lanes.length, "lane")}, in use {formatShare(found.use)} of the time</span></h3>
      </header>
      {/* Arrow keys go from trial to trial: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="lanes" ref={body} tabIndex={0} role="application" aria-roledescription="chart" style={{ height: lanesHeight(shown) }}
        aria-label="When each trial ran; arrow keys go from trial to trial, Enter opens its run" />
      <p className="unseen" aria-live="polite">{reading}</p>
      {found.lanes.length > shown ? <p className="chart-note muted small">{plural(found.lanes.length - shown, "more lane is", "more lanes are")} not drawn.</p> : null}
    </section>
  );
}
