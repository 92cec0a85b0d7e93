// Another file for a sweep: what it searches can change while it is paused; trials keep what they were.
import { useState } from "react";
import { poolAPI } from "../../api/pool";
import type { Sweep } from "../../api/types";
import { Button } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { SourceField } from "../../components/SourceField";
import { useSending } from "../../components/sending";
import { toast } from "../../components/Toast";
import { pauseSweep } from "../../store/poolchanges";

export function EditSpace({ sweep, onClose }: { sweep: Sweep; onClose: () => void }) {
  const before = sweep.source ?? "";
  const [text, setText] = useState(before);
  const { error, sending, send, forget } = useSending();
  const paused = sweep.state === "paused";
  const save = () => send(() => poolAPI.changeSweep(sweep.id, { source: text }), () => {
    toast("Trials to come follow the new file; resume the sweep to go on.");
    onClose();
  });
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
      <SourceField label="Sweep file" value={text} readOnly={!paused} error={error}
        onChange={(next) => {
          forget();
          setText(next);
        }} />
      <footer className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" disabled={!paused || sending || text === before} onClick={() => void save()}>Save</Button>
      </footer>
    </Dialog>
  );
}
