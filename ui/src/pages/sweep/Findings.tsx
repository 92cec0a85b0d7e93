// What the trials say, in sentences.
import type { SweepAnalysis } from "../../api/analysis";
import type { Trial } from "../../api/types";
import { formatShare, plural } from "../../format";
import type { Objective } from "../../store/objectives";
import { ended } from "../../store/poolwords";
import { recentFailures } from "../../store/sweeps";

export function Findings({ analysis, objective, trials }: { analysis: SweepAnalysis | null; objective: Objective; trials: readonly Trial[] }) {
  const failures = recentFailures(trials);
  if (analysis === null) return <section className="card findings" aria-label="What the trials say"><p className="muted">Reading the trials…</p></section>;
  const { progress, importance, left_out } = analysis;
  const first = importance.parameters[0];
  return (
    <section className="card findings" aria-label="What the trials say">
      {progress.statements.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {first && first.variance >= 0.01
        ? <p><strong>{first.name}</strong> explains {formatShare(first.variance)} of the differences in {objective.name}, more than any other parameter alone.</p>
        : null}
      {failures === null ? null : (
        <p className="finding-bad">{failures.failed === failures.of ? "All" : failures.failed} of the {plural(failures.of, "trial")} that ended last failed
          {failures.reason === null ? "." : `: ${ended(failures.reason)}`}</p>
      )}
      {left_out.length > 0 ? <p className="muted">Left out, because it would take too long for so many trials: {left_out.join(", ")}.</p> : null}
    </section>
  );
}
