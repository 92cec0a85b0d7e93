// The parameters of a trial once more: what follows from it in words, and as how many trials.
import { type FormEvent, useState } from "react";
import { sweepAPI } from "../../api/sweeps";
import type { Sweep, Trial } from "../../api/types";
import { Button } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Refusal } from "../../components/Refusal";
import { useSending } from "../../components/sending";
import { toast } from "../../components/Toast";
import { plural } from "../../format";
import { againWords } from "../../store/sweepwords";
import { readCount } from "./SweepSettings";

const MOST = 1000;

export function RunAgain({ sweep, trial, onClose }: { sweep: Sweep; trial: Trial; onClose: () => void }) {
  const [text, setText] = useState("1");
  const { error, sending, send, forget } = useSending();
  const times = readCount(text, 1) ?? 0;
  const wrong = times < 1 || times > MOST;
  const name = trial.run_name ?? `trial ${trial.number}`;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (wrong) return;
    await send(() => sweepAPI.again(sweep.id, trial.number, times), () => {
      toast(`${name} is tried again, as ${plural(times, "trial")}.`);
      onClose();
    });
  };
  return (
    <Dialog title={`Run ${name} again`} onClose={onClose}>
      <form className="point-form" onSubmit={(event) => void submit(event)}>
        <label className="confirm"><span>As how many trials</span>
          <input className="field" inputMode="numeric" autoComplete="off" value={text} aria-invalid={wrong} aria-describedby="again-words"
            onChange={(event) => {
              forget();
              setText(event.target.value);
            }} />
        </label>
        <p className="muted small" id="again-words">{wrong ? `A whole number from 1 to ${MOST.toLocaleString("en-US")}.` : againWords(sweep, times)}</p>
        <Refusal error={error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" className="button primary" disabled={wrong || sending}>Run it again</button>
        </footer>
      </form>
    </Dialog>
  );
}
