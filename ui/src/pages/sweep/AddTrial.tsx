// A trial by hand: a value for each parameter, tried before the method is asked again.
import { type FormEvent, useMemo, useState } from "react";
import { poolAPI } from "../../api/pool";
import type { Parameter, Sweep, Trial } from "../../api/types";
import { Button } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Refusal } from "../../components/Refusal";
import { useSending } from "../../components/sending";
import { toast } from "../../components/Toast";
import { formatNumber, toNumber } from "../../format";
import { sweepHasEnded } from "../../store/sweeps";
import { chosenParameters, pointOf, textOf, textsOf } from "../../store/points";

export function AddTrial({ sweep, trials, onClose }: { sweep: Sweep; trials: readonly Trial[]; onClose: () => void }) {
  const parameters = useMemo(() => chosenParameters(sweep), [sweep]);
  const start = trials.find(({ number }) => number === sweep.best?.trial) ?? trials[trials.length - 1];
  const [texts, setTexts] = useState(() => textsOf(parameters, start));
  const { error, sending, send, forget } = useSending();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await send(() => poolAPI.addPoint(sweep.id, pointOf(sweep, texts)), () => {
      toast(sweepHasEnded(sweep.state) ? "The sweep goes on with the point." : "The point is tried next.");
      onClose();
    });
  };
  return (
    <Dialog title="Add a trial" onClose={onClose}>
      <form className="point-form" onSubmit={(event) => void submit(event)}>
        <p className="muted small">
          {sweepHasEnded(sweep.state) ? "The sweep has ended, and is taken up again for it" : `It is tried before ${sweep.method} is asked again`}{start === undefined ? "" : `. These are the values of ${start.run_name ?? `trial ${start.number}`}: change some`}.
          A parameter without a value is left out.
        </p>
        {parameters.map((parameter) => (
          <label key={parameter.name} className="confirm"><span>{parameter.name} <span className="muted">{range(parameter)}</span></span>
            {parameter.values ? (
              <select className="select" value={texts[parameter.name]} onChange={(event) => setTexts({ ...texts, [parameter.name]: event.target.value })}>
                <option value="">none</option>
                {parameter.values.map((value) => <option key={textOf(value)}>{textOf(value)}</option>)}
              </select>
            ) : (
              <input className="field" inputMode="decimal" autoComplete="off" spellCheck={false} value={texts[parameter.name]}
                onChange={(event) => {
                  forget();
                  setTexts({ ...texts, [parameter.name]: event.target.value });
                }} />
            )}
          </label>
        ))}
        <Refusal error={error} />
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" className="button primary" disabled={sending}>Add it</button>
        </footer>
      </form>
    </Dialog>
  );
}

function range({ min, max }: Parameter): string {
  return min === undefined || max === undefined ? "" : `${formatNumber(toNumber(min))} to ${formatNumber(toNumber(max))}`;
}
