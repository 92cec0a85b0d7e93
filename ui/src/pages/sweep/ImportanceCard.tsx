// Which parameters matter: bars, by one of three methods, each with what it means.
import type { Importance, SweepAnalysis } from "../../api/analysis";
import { Segmented } from "../../components/basics";
import { formatShare, plural } from "../../format";
import type { Objective } from "../../store/objectives";
import { usePref } from "../../store/prefs";

type Method = "variance" | "among_the_best" | "impurity";

const METHODS: readonly (readonly [Method, string])[] = [["variance", "Variance"], ["among_the_best", "Among the best"], ["impurity", "Splits"]];

const MEANING: Record<Method, (metric: string) => string> = {
  variance: (metric) => `fANOVA: the share of the differences in ${metric}, over the whole range that is searched, that a parameter explains alone. `
    + "What is missing to 100 % is explained by parameters together, or by none.",
  among_the_best: () => "PED-ANOVA: how differently the best tenth of the trials lies along a parameter than all of them do, as a share of all parameters. "
    + "It tells what leads from good to best, where fANOVA tells what keeps from bad.",
  impurity: () => "Mean decrease in impurity: the part of a parameter in the splits of a random forest, as a share of all. Quick and rough: it favours parameters of many values.",
};

const EACH = 10; // complete trials for each parameter from which on importances hardly move
const INTERACTIONS = 3;

export function ImportanceCard({ analysis, objective }: { analysis: SweepAnalysis | null; objective: Objective }) {
  const [method, setMethod] = usePref<Method>("importance", "variance");
  const title = "What matters";
  const found = analysis?.importance ?? null;
  const rows = [...found?.parameters ?? []].sort((a, b) => b[method] - a[method]);
  const enough = EACH * rows.length;
  return (
    <section className="chart-card importance-card" aria-label={title}>
      <header className="chart-head">
        <h3>{title}</h3>
        <Segmented label="Method" value={method} options={METHODS} onChange={setMethod} />
      </header>
      <div className="importance">
        {found === null ? <p className="muted">Reading…</p> : rows.length === 0 ? <p className="quiet-note">{found.note}</p> : (
          <>
            <ol aria-label={`Parameters by ${METHODS.find(([each]) => each === method)![1].toLowerCase()}`}>
              {rows.map((row) => <Bar key={row.name} row={row} method={method} />)}
            </ol>
            {method === "variance" ? <Interactions all={found.interactions} /> : null}
            <p className="muted small">{MEANING[method](objective.name)}</p>
            {found.note === null ? null : <p className="small importance-few">{found.note}</p>}
            {found.trials < enough ? (
              <p className="small importance-few">
                From {plural(found.trials, "complete trial")} this is a first guess: with {plural(rows.length, "parameter")} it settles at about {enough}.
              </p>
            ) : null}
          </>
        )}
      </div>
    </section>
  );
}

function Bar({ row, method }: { row: Importance; method: Method }) {
  const share = Math.min(1, Math.max(0, row[method]));
  return (
    <li title={`${row.name}: ${formatShare(share)}, from ${plural(row.trials, "trial")}`}>
      <span className="clip">{row.name}</span>
      <span className="bar" aria-hidden="true"><span style={{ width: `${share * 100}%` }} /></span>
      <span className="bar-value">{share > 0 && share < 0.005 ? "< 1 %" : formatShare(share)}</span>
    </li>
  );
}

function Interactions({ all }: { all: SweepAnalysis["importance"]["interactions"] }) {
  const strong = all.slice(0, INTERACTIONS).filter(({ variance }) => variance >= 0.01);
  if (strong.length === 0) return null;
  return (
    <p className="small">
      Together, beyond what each explains alone: {strong.map(({ first, second, variance }) => `${first} × ${second} ${formatShare(variance)}`).join(", ")}.
    </p>
  );
}
