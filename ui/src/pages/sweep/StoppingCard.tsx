// Trials that were ended early: by which rule, at which step, and what was said of each.
import { useState } from "react";
import type { SweepAnalysis } from "../../api/analysis";
import type { Sweep, Trial } from "../../api/types";
import { Link } from "../../components/basics";
import { formatCount, plural } from "../../format";
import { pathOf } from "../../router";
import { ended } from "../../store/poolwords";

const NAMED = 12; // trials that are named at a step
const TOLD = 5; // trials whose end is told before somebody asks for all

export function StoppingCard({ sweep, trials, analysis }: { sweep: Sweep; trials: readonly Trial[]; analysis: SweepAnalysis | null }) {
  const [all, setAll] = useState(false);
  const rule = analysis?.stopping ?? null;
  const stopped = trials.filter(({ state }) => state === "pruned");
  const still = trials.filter(({ state }) => state === "paused").length;
  if (rule === null && stopped.length === 0 && sweep.search?.early_terminate === undefined) return null;
  const byNumber = new Map(trials.map((trial) => [trial.number, trial]));
  // The newest end is told first.
  const told = stopped.filter(({ reason }) => reason !== null).sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0) || b.number - a.number);
  const shown = all ? told : told.slice(0, TOLD);
  return (
    <section className="chart-card text-card" aria-label="Ended early">
      <header className="chart-head">
        <h3>Ended early <span className="muted">{stopped.length === 0 ? "none yet" : `${formatCount(stopped.length)} of ${plural(trials.length, "trial")}`}
          {still > 0 ? `, ${plural(still, "stands", "stand")} still` : ""}</span></h3>
      </header>
      <div className="text-body">
        {rule?.rules.map((sentence) => <p key={sentence}>{sentence}</p>)}
        {rule && rule.rungs.length > 0 ? (
          <table className="rungs">
            <caption className="unseen">Trials that came no further, by step</caption>
            <thead><tr><th scope="col">Step</th><th scope="col">Came no further</th></tr></thead>
            <tbody>
              {rule.rungs.map(({ step, stopped: ends, paused }) => (
                <tr key={step}>
                  <th scope="row">{formatCount(step)}</th>
                  <td>
                    {ends.length > 0 ? <span>{plural(ends.length, "trial")} ended: <Numbers of={ends} {...{ byNumber, sweep }} /></span> : null}
                    {paused.length > 0 ? <span>{plural(paused.length, "trial stands", "trials stand")} still: <Numbers of={paused} {...{ byNumber, sweep }} /></span> : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : null}
        {shown.length === 0 ? null : (
          <ul className="ends" aria-label="What was said of them">
            {shown.map((trial) => (
              <li key={trial.number}><TrialLink trial={trial} sweep={sweep} /> <span className="muted">{ended(trial.reason ?? "")}</span></li>
            ))}
          </ul>
        )}
        {told.length > TOLD ? (
          <p><button type="button" className="text-button" onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${formatCount(told.length)}`}</button></p>
        ) : null}
      </div>
    </section>
  );
}

function Numbers({ of, byNumber, sweep }: { of: readonly number[]; byNumber: ReadonlyMap<number, Trial>; sweep: Sweep }) {
  return (
    <>
      {of.slice(0, NAMED).map((number, i) => {
        const trial = byNumber.get(number);
        return <span key={number}>{i > 0 ? ", " : ""}{trial ? <TrialLink trial={trial} sweep={sweep} text={String(number)} /> : number}</span>;
      })}
      {of.length > NAMED ? ` and ${formatCount(of.length - NAMED)} more` : ""}
    </>
  );
}

function TrialLink({ trial, sweep, text }: { trial: Trial; sweep: Sweep; text?: string }) {
  const name = trial.run_name ?? `trial ${trial.number}`;
  if (trial.run === null) return <>{text ?? name}</>;
  return <Link to={pathOf({ page: "run", project: sweep.project, run: trial.run })} className="quiet-link" title={name}>{text ?? name}</Link>;
}
