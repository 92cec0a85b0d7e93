// What a sweep file would do, as the server says: how many trials, by which method, what they need, how long, and the first points.
import { useEffect, useRef } from "react";
import type { SweepPlan } from "../../api/sweeps";
import { Button, usePhone } from "../../components/basics";
import { formatCommand, formatValue } from "../../format";

interface Props {
  plan: SweepPlan | null;
  /** The file has changed since. */
  stale: boolean;
  busy: boolean;
  /** The file is wrong. */
  refused: boolean;
  onCheck: () => void;
}

export function PlanCard({ plan, stale, busy, refused, onCheck }: Props) {
  const card = useRef<HTMLElement>(null);
  const phone = usePhone();
  useEffect(() => {
    // There it lies below the file, out of sight.
    if (phone && plan !== null) card.current?.scrollIntoView({ block: "start" });
  }, [phone, plan]);
  return (
    <section ref={card} className="card plan" aria-label="What it would do" aria-busy={busy}>
      <header className="card-head"><h2>What it would do</h2></header>
      <div aria-live="polite">
        {plan === null ? (
          <p className="muted">{busy ? "Checking…" : refused ? "The file is to be corrected first." : <>
            <strong>Check</strong> says how many trials there would be, the first points, what they need and how long they take, and what is wrong in the file. Nothing is started.
          </>}</p>
        ) : stale ? (
          <p className="plan-stale"><span>The file has changed since.</span> <Button icon="check" onClick={onCheck} disabled={busy}>Check again</Button></p>
        ) : null}
        {plan === null ? null : <div className={stale ? "plan-body old" : "plan-body"}><Plan plan={plan} /></div>}
      </div>
    </section>
  );
}

function Plan({ plan }: { plan: SweepPlan }) {
  return (
    <>
      <dl className="facts">
        <div><dt>Name</dt><dd>{plan.name}</dd></div>
        {plan.rows.map(({ name, words }, i) => <div key={i}><dt>{name}</dt><dd>{words}</dd></div>)}
        <div><dt>Runs</dt><dd><code>{formatCommand(plan.command)}</code></dd></div>
        <div><dt>In</dt><dd>{plan.workdir}</dd></div>
      </dl>
      {plan.notes.map((note) => <p key={note} className="warning">{note}</p>)}
      <h3>First points</h3>
      <ol className="plan-points">
        {plan.points.map(({ name, params }, i) => (
          <li key={i}>
            <strong>{name}</strong>
            <span>{Object.entries(params).map(([key, value]) => (
              <span key={key} className="tag"><span className="muted">{key}</span> {formatValue(value)}</span>
            ))}</span>
          </li>
        ))}
      </ol>
      {plan.doubt === null ? null : <p className="muted small">{plan.doubt[0]?.toUpperCase()}{plan.doubt.slice(1)}.</p>}
    </>
  );
}
