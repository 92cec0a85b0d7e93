// Another file for a sweep: what it searches can change while it is paused; trials keep what they were.
import { useState } from "react";
import { ApiError } from "../../api/client";
import { poolAPI } from "../../api/pool";
import type { Sweep } from "../../api/types";
import { Button } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { toast } from "../../components/Toast";
import { pauseSweep } from "../../store/poolchanges";

export function EditSpace({ sweep, onClose }: { sweep: Sweep; onClose: () => void }) {
  const before = sweep.source ?? "";
  const [text, setText] = useState(before);
  const [error, setError] = useState<ApiError | null>(null);
  const [sending, setSending] = useState(false);
  const paused = sweep.state === "paused";
  const save = async () => {
    setSending(true);
    try {
      await poolAPI.changeSweep(sweep.id, { source: text });
      toast("Trials to come follow the new file; resume the sweep to go on.");
      onClose();
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
      setSending(false);
    }
  };
  const line = (error?.details as { line?: number } | null)?.line;
  return (
    <Dialog title={`What ${sweep.name} searches`} onClose={onClose} wide>
      <p className="muted small">
        The sweep file. Parameters, method and limits may change, for the trials to come; those that there are stay, and the search learns from them
        where they lie in the new space. What is looked for stays.
      </p>
      {paused ? null : (
        <p className="preparation">
          <span>It can be changed while the sweep is paused.</span>
          <Button icon="pause" onClick={() => void pauseSweep(sweep, true)}>Pause</Button>
        </p>
      )}
      <textarea className="field source-field" aria-label="Sweep file" value={text} readOnly={!paused} spellCheck={false} rows={Math.min(28, text.split("\n").length + 2)}
        aria-invalid={error !== null} aria-describedby="source-error"
        onChange={(event) => {
          setError(null);
          setText(event.target.value);
        }} />
      {error ? (
        <p className="filter-error" id="source-error" role="alert">
          <Icon name="bolt" size={13} /><span>{typeof line === "number" ? `Line ${line}: ` : ""}{error.message}
            {error.hint ? <span className="hint"> {error.hint}</span> : null}</span>
        </p>
      ) : null}
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" disabled={!paused || sending || text === before} onClick={() => void save()}>Save</Button>
      </footer>
    </Dialog>
  );
}
