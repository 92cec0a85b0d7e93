// A sweep that has ended is taken up again: with more trials, or without a limit.
import { type FormEvent, useState } from "react";
import { poolAPI } from "../../api/pool";
import type { Sweep } from "../../api/types";
import { Button, Link } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Refusal } from "../../components/Refusal";
import { useSending } from "../../components/sending";
import { toast } from "../../components/Toast";
import { formatCount } from "../../format";
import { pathOf } from "../../router";
import { progressOf } from "../../store/sweeps";
import { goOnWords } from "../../store/sweepwords";
import { readCount } from "./SweepSettings";

const MORE = 10; // trials that are offered

export function GoOn({ sweep, onClose }: { sweep: Sweep; onClose: () => void }) {
  const least = progressOf(sweep).known + 1;
  const [text, setText] = useState(() => String(Math.max(sweep.budget ?? 0, least - 1 + MORE)));
  const { error, sending, send, forget } = useSending();
  const budget = readCount(text, least);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (budget === undefined) return;
    await send(() => poolAPI.changeSweep(sweep.id, { budget }), () => {
      toast("The sweep goes on.");
      onClose();
    });
  };
  return (
    <Dialog title={`Go on with ${sweep.name}`} onClose={onClose}>
      <form className="point-form" onSubmit={(event) => void submit(event)}>
        <label className="confirm"><span>Trials at most, those that there are among them</span>
          <input className="field" inputMode="numeric" autoComplete="off" value={text} placeholder="no limit" aria-invalid={budget === undefined}
            aria-describedby="go-on-words"
            onChange={(event) => {
              forget();
              setText(event.target.value);
            }} />
        </label>
        <p className="muted small" id="go-on-words">
          {budget === undefined ? `A whole number from ${formatCount(least)} on; nothing: no limit.` : goOnWords(sweep, budget)}
        </p>
        <Refusal error={error} />
        {error ? (
          <p className="small"><Link to={`${pathOf({ page: "newsweep", project: sweep.project })}?like=${sweep.id}`}>A new sweep like this one</Link> may search elsewhere.</p>
        ) : null}
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" className="button primary" disabled={budget === undefined || sending}>Go on</button>
        </footer>
      </form>
    </Dialog>
  );
}
