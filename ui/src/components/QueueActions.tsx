// What can be done with a run that waits: forwards, backwards, another priority, or no more waiting.
import { type FormEvent, useState } from "react";
import { api } from "../api/client";
import type { QueueEntry } from "../api/types";
import { moveInLine, prioritize } from "../store/poolchanges";
import { needsWords, waitSentence } from "../store/poolwords";
import { Ago, Button } from "./basics";
import { Dialog } from "./Dialog";
import { attempt } from "./Toast";

/** How a run waits, and everything that can be done about it. */
export function QueueDialog({ entry, onClose }: { entry: QueueEntry; onClose: () => void }) {
  const [priority, setPriority] = useState(String(entry.priority));
  const name = entry.run_name ?? entry.run ?? "the run";
  const wanted = /^\s*[-−+]?\d{1,9}\s*$/.test(priority) ? Number(priority.replace("−", "-")) : null;
  const after = (work: () => Promise<unknown>) => () => {
    onClose();
    void work();
  };
  const keep = (event: FormEvent) => {
    event.preventDefault();
    if (wanted === null) return;
    onClose();
    void prioritize(entry, wanted);
  };
  return (
    <Dialog title={name} onClose={onClose}>
      <p>{waitSentence(entry)}</p>
      <p className="muted small">It asked <Ago at={entry.since} /> for {needsWords(entry.needs)}.</p>
      <form className="priority-form" onSubmit={keep}>
        <label className="labelled">Priority; higher goes first
          <input className="field" inputMode="numeric" value={priority} aria-invalid={wanted === null} onChange={(event) => setPriority(event.target.value)} />
        </label>
        <button type="submit" className="button" disabled={wanted === null || wanted === entry.priority}>Set</button>
      </form>
      {wanted === null ? <p className="filter-error">A priority is a whole number, such as 0 or 10.</p> : null}
      <footer className="dialog-foot">
        <Button tone="danger" icon="stop" onClick={after(() => attempt(() => api.stopRun(entry.run!), `${name} will not run.`))}>Stop</Button>
        <span className="grow" />
        <Button icon="download" onClick={after(() => moveInLine(entry, "back"))}>To the back</Button>
        <Button icon="top" onClick={after(() => moveInLine(entry, "front"))}>To the front</Button>
      </footer>
    </Dialog>
  );
}
