// Asking a run to make room for others: this attempt ends, and another one of it waits in the line.
import { useState } from "react";
import { preempt } from "../store/poolchanges";
import { Button } from "./basics";
import { Dialog } from "./Dialog";

export function MakeRoom({ run, name, onClose }: { run: string; name: string; onClose: () => void }) {
  const [keep, setKeep] = useState(false);
  const ask = () => {
    onClose();
    void preempt(run, name, keep);
  };
  return (
    <Dialog title={`Shall ${name} make room?`} onClose={onClose}>
      <p>It is asked to end, so that it can save what it needs. What it holds goes to the next in line, and a new attempt of it waits.</p>
      <fieldset className="choices">
        <legend className="unseen">Where the new attempt waits</legend>
        <label className="choice">
          <input type="radio" name="place" checked={!keep} onChange={() => setKeep(false)} />
          <strong>At the end of the line</strong>
          <span className="muted">All who wait now come first.</span>
        </label>
        <label className="choice">
          <input type="radio" name="place" checked={keep} onChange={() => setKeep(true)} />
          <strong>In its old place</strong>
          <span className="muted">It goes on as soon as it can: for a restart, or to leave a device that is out of service.</span>
        </label>
      </fieldset>
      <footer className="dialog-foot">
        <Button onClick={onClose}>Let it run</Button>
        <Button tone="danger" icon="out" onClick={ask}>Make room</Button>
      </footer>
    </Dialog>
  );
}
