// What the trials say, in sentences.
import type { SweepAnalysis } from "../../api/analysis";
import { formatShare } from "../../format";
import type { Objective } from "../../store/objectives";

export function Findings({ analysis, objective }: { analysis: SweepAnalysis | null; objective: Objective }) {
  if (analysis === null) return <section className="card findings" aria-label="What the trials say"><p className="muted">Reading the trials…</p></section>;
  const { progress, importance, left_out } = analysis;
  const first = importance.parameters[0];
  return (
    <section className="card findings" aria-label="What the trials say">
      {progress.statements.map((sentence) => <p key={sentence}>{sentence}</p>)}
      {first && first.variance >= 0.01
        ? <p><strong>{first.name}</strong> explains {formatShare(first.variance)} of the differences in {objective.name}, more than any other parameter alone.</p>
        : null}
      {left_out.length > 0 ? <p className="muted">Left out, because it would take too long for so many trials: {left_out.join(", ")}.</p> : null}
    </section>
  );
}
