// When the trials of a sweep ran, side by side: how many at a time, how long each took, and where nothing ran.
import { useMemo } from "react";
import type { Sweep, Trial } from "../../api/types";
import { COLOURS } from "../../charts/palette";
import type { LanesState } from "../../charts/lanes";
import { useNow } from "../../components/basics";
import { LanesView } from "../../components/LanesView";
import { formatDuration, formatShare, plural } from "../../format";
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
  const state = useMemo((): LanesState => ({
    lanes: found.lanes.slice(0, MOST_LANES), window: found.window, now, slot: ({ trial }) => (trial ?? 0) % COLOURS,
    told: ({ from, to, state }) => `${state}, ${to === null ? `for ${formatDuration(now - from)}` : formatDuration(to - from)}`,
  }), [found, now]);
  const hidden = found.lanes.length - state.lanes.length;
  return (
    <LanesView title="When trials ran" label="When each trial ran; arrow keys go from trial to trial, Enter opens its run" state={state} head={
      <h3>When trials ran <span className="muted">{plural(found.lanes.length, "lane")}, in use {formatShare(found.use)} of the time</span></h3>
    }>
      {hidden > 0 ? <p className="chart-note muted small">{plural(hidden, "more lane is", "more lanes are")} not drawn.</p> : null}
    </LanesView>
  );
}
