// How a sweep searches: its method, or those that follow each other, with what each is good at and what the choice went by.
import type { SweepAnalysis } from "../../api/analysis";
import type { Json, Sweep } from "../../api/types";
import { formatCount, formatValue } from "../../format";

export function MethodCard({ sweep, analysis }: { sweep: Sweep; analysis: SweepAnalysis | null }) {
  const plan = analysis?.search ?? null;
  const facts = searchFacts(sweep);
  return (
    <section className="chart-card text-card" aria-label="How it searches">
      <header className="chart-head"><h3>How it searches <span className="muted">{sweep.method}</span></h3></header>
      <div className="text-body">
        {plan === null ? null : plan.stages.length === 1 && plan.reason === null ? <p>{plan.stages[0]!.words}</p> : (
          <>
            <ol className="stages" aria-label="Methods, one after the other">
              {plan.stages.map(({ method, from, until, words }, i) => (
                <li key={from} aria-current={i === plan.stage ? "step" : undefined}>
                  <p><strong>{method}</strong> <span className="muted">{stretch(from, until)}{i === plan.stage ? ", now" : ""}</span></p>
                  <p className="muted small">{words}</p>
                </li>
              ))}
            </ol>
            {plan.reason === null ? null : <p className="small">{plan.reason}</p>}
          </>
        )}
        {plan?.failures ? <p className="small">{plan.failures}</p> : null}
        {facts.length === 0 ? null : (
          <dl className="search-facts">
            {facts.map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}
          </dl>
        )}
      </div>
    </section>
  );
}

/** Which trials a stage serves, in words. */
function stretch(from: number, until: number | null): string {
  if (until === null) return from === 0 ? "all trials" : `from trial ${formatCount(from)} on`;
  return until - from === 1 ? `trial ${formatCount(from)}` : `trials ${formatCount(from)} to ${formatCount(until - 1)}`;
}

/** A constraint in words. */
function bounds({ metric, min, max }: { metric: string; min?: number | null; max?: number | null }): string {
  return [metric, min == null ? "" : `≥ ${formatValue(min)}`, max == null ? "" : `≤ ${formatValue(max)}`].filter((part) => part !== "").join(" ");
}

/** What else was asked of the search, by name. */
export function searchFacts({ search, seed }: Sweep): [string, string][] {
  const { options, constraints, soft_constraints, target, points, warm_start, budget } = search ?? {};
  const listed = (map: Record<string, Json>) => Object.entries(map).map(([name, value]) => `${name} ${formatValue(value)}`).join(", ");
  const facts: [string, string | null][] = [
    ["Options", options ? listed(options) : null],
    ["Constraints", constraints?.map(bounds).join(", ") ?? null],
    ["At a price", soft_constraints?.map((soft) => `${bounds(soft)} (weight ${formatValue(soft.weight)})`).join(", ") ?? null],
    ["Target", target === undefined ? null : formatValue(target)],
    ["Limits", budget ? listed(budget) : null],
    ["Points of the file", points === undefined ? null : formatCount(points)],
    ["Learns from", warm_start?.join(", ") ?? null],
    ["Seed", seed === null ? null : String(seed)],
  ];
  return facts.flatMap(([name, text]) => (text === null || text === "" ? [] : [[name, text]]));
}
