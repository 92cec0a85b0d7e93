// The questions before runs go: into the trash, or for ever.
import { type FormEvent, useState } from "react";
import type { Run } from "../api/types";
import { plural } from "../format";
import { moveToTrash, mustStop, purge } from "../store/trash";
import { Button } from "./basics";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";

const NAMED = 6; // runs that a question names

function Names({ runs }: { runs: readonly Run[] }) {
  if (runs.length < 2) return null;
  return (
    <ul className="names">
      {runs.slice(0, NAMED).map((run) => <li key={run.id} className="clip">{run.name}</li>)}
      {runs.length > NAMED ? <li className="muted">and {plural(runs.length - NAMED, "other")}</li> : null}
    </ul>
  );
}

const title = (runs: readonly Run[]) => (runs.length === 1 ? runs[0]!.name : plural(runs.length, "run"));

interface Props {
  runs: readonly Run[];
  /** Called with what was done when the question is answered. */
  onClose: (done: boolean) => void;
  /** Called when the server has done it. */
  onDone?: () => void;
}

export function DeleteRuns({ runs, onClose }: Props) {
  const free = runs.filter((run) => !mustStop(run));
  const held = runs.length - free.length;
  const one = free.length === 1;
  const remove = () => {
    onClose(true);
    void moveToTrash(free);
  };
  return (
    <Dialog title={`Delete ${title(runs)}?`} onClose={() => onClose(false)}>
      {free.length === 0 ? null : (
        <p>{one ? "It goes" : "They go"} to the trash and can be restored from there for 30 days. Then {one ? "it is" : "they are"} deleted
          for ever, with everything {one ? "it" : "they"} logged.</p>
      )}
      <Names runs={free} />
      {held === 0 ? null : (
        <p className="warning"><Icon name="play" size={14} />
          {runs.length === 1 ? "It still runs. Stop it first." : `${plural(held, "run")} still ${held === 1 ? "runs" : "run"} and must be stopped first.`}</p>
      )}
      <footer className="dialog-foot">
        <Button onClick={() => onClose(false)}>Keep {runs.length === 1 ? "it" : "them"}</Button>
        <Button tone="danger" icon="trash" disabled={free.length === 0} onClick={remove}>Move to the trash</Button>
      </footer>
    </Dialog>
  );
}

export function PurgeRuns({ runs, onClose, onDone }: Props) {
  const [typed, setTyped] = useState("");
  const word = runs.length === 1 ? runs[0]!.name : `delete ${plural(runs.length, "run")}`;
  const certain = typed.trim() === word;
  const remove = () => {
    onClose(true);
    void purge(runs).then(onDone);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (certain) remove();
  };
  return (
    <Dialog title={`Delete ${title(runs)} for ever?`} onClose={() => onClose(false)}>
      <p>Points, media and {runs.length === 1 ? "all else it" : "all else they"} logged go at once. Nothing brings them back.</p>
      <Names runs={runs} />
      <form onSubmit={submit}>
        <label className="confirm">
          <span>Type <strong>{word}</strong> to confirm</span>
          <input className="field" value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
        </label>
        <footer className="dialog-foot">
          <Button onClick={() => onClose(false)}>Keep {runs.length === 1 ? "it" : "them"}</Button>
          <Button tone="danger" icon="trash" disabled={!certain} onClick={remove}>Delete for ever</Button>
        </footer>
      </form>
    </Dialog>
  );
}
