// The head of a sweep's page: what it is, how it stands in words, and what can be done with all of it.
import { useState } from "react";
import { api, mayRun } from "../../api/client";
import type { Sweep, Trial } from "../../api/types";
import { Button, Link } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Menu } from "../../components/Menu";
import { Pill } from "../../components/Pill";
import { attempt } from "../../components/Toast";
import { plural } from "../../format";
import { navigate, pathOf } from "../../router";
import { pauseSweep } from "../../store/poolchanges";
import { ended } from "../../store/poolwords";
import { maximises, sweepHasEnded } from "../../store/sweeps";
import { windowWords } from "../../store/sweepwords";
import { AddTrial } from "./AddTrial";
import { EditSpace } from "./EditSpace";
import { GoOn } from "./GoOn";

export function SweepHead({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  const [asking, setAsking] = useState<"stop" | "trial" | "space" | "on" | null>(null);
  const over = sweepHasEnded(sweep.state);
  return (
    <header className="page-head">
      <div className="page-title">
        <p className="crumbs"><Link to={pathOf({ page: "sweeps", project: sweep.project })} className="quiet-link">Sweeps</Link></p>
        <h1>{sweep.name}<Pill state={sweep.state} /></h1>
        {sweep.description ? <p className="description">{sweep.description}</p> : null}
        <p className="sentence">{sentence(sweep)}</p>
      </div>
      {!mayRun() ? null : (
        <div className="head-actions">
          {sweep.state === "running" ? <Button icon="pause" onClick={() => void pauseSweep(sweep, true)}>Pause</Button> : null}
          {sweep.state === "paused" ? <Button icon="play" tone="primary" onClick={() => void pauseSweep(sweep, false)}>Resume</Button> : null}
          {over ? <Button icon="play" onClick={() => setAsking("on")}>Go on…</Button>
            : <Button tone="danger" icon="stop" onClick={() => setAsking("stop")}>Stop</Button>}
          <Menu label="More about this sweep" items={[
            ...(sweep.state === "draining" || sweep.parameters.length === 0 ? [] : [{ word: "Add a trial…", icon: "plus" as const, run: () => setAsking("trial") }]),
            ...(over || sweep.source === null ? [] : [{ word: "Edit what it searches…", icon: "pencil" as const, run: () => setAsking("space") }]),
            ...(sweep.source === null ? [] : [{
              word: "New sweep like this one", icon: "copy" as const,
              run: () => navigate(`${pathOf({ page: "newsweep", project: sweep.project })}?like=${sweep.id}`),
            }]),
          ]} />
        </div>
      )}
      {asking === "stop" ? <StopSweep sweep={sweep} onClose={() => setAsking(null)} /> : null}
      {asking === "trial" ? <AddTrial sweep={sweep} trials={trials} onClose={() => setAsking(null)} /> : null}
      {asking === "on" ? <GoOn sweep={sweep} onClose={() => setAsking(null)} /> : null}
      {asking === "space" ? <EditSpace sweep={sweep} onClose={() => setAsking(null)} /> : null}
    </header>
  );
}

/** The sweep and its state in a sentence. */
export function sentence(sweep: Sweep): string {
  const goal = sweep.metric === null ? "" : `, ${maximises(sweep) ? "maximising" : "minimising"} ${sweep.metric.name}`;
  const what = `${sweep.method[0]?.toUpperCase()}${sweep.method.slice(1)} search over ${plural(sweep.parameters.length, "parameter")}${goal}, ${windowWords(sweep)}.`;
  // The pause has a note of its own.
  const reason = sweep.state_reason && sweep.state !== "paused" ? ` ${ended(sweep.state_reason)}` : "";
  if (sweep.state === "draining") return `${what} No new trial starts; those that run may end.${reason}`;
  return what + reason;
}

function StopSweep({ sweep, onClose }: { sweep: Sweep; onClose: () => void }) {
  const [mode, setMode] = useState<"now" | "drain">("drain");
  const running = sweep.counts.running;
  const stop = async () => {
    onClose();
    await attempt(() => api.stopSweep(sweep.id, mode), mode === "now" ? "The sweep is being stopped." : "No new trial will start.");
  };
  return (
    <Dialog title={`Stop ${sweep.name}?`} onClose={onClose}>
      <fieldset className="choices">
        <legend className="unseen">How to stop</legend>
        <label className="choice">
          <input type="radio" name="mode" checked={mode === "drain"} onChange={() => setMode("drain")} />
          <strong>Let running trials end</strong>
          <span className="muted">No new trial starts; {plural(running, "running trial")} may finish.</span>
        </label>
        <label className="choice">
          <input type="radio" name="mode" checked={mode === "now"} onChange={() => setMode("now")} />
          <strong>Stop now</strong>
          <span className="muted">SIGTERM for {plural(running, "running trial")}, then the grace period, then SIGKILL.</span>
        </label>
      </fieldset>
      <p className="muted">What has been found stays either way.</p>
      <footer className="dialog-foot">
        <Button onClick={onClose}>Let it run</Button>
        <Button tone="danger" icon="stop" onClick={() => void stop()}>Stop</Button>
      </footer>
    </Dialog>
  );
}
