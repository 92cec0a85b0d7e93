// How far a sweep is: one bar in the colours of what became of its trials, and the counts in words.
import type { Sweep } from "../api/types";
import { formatCount } from "../format";
import { progressOf } from "../store/sweeps";

export function SweepProgress({ sweep }: { sweep: Sweep }) {
  const { ended, known, total } = progressOf(sweep);
  const { counts } = sweep;
  const paused = counts.paused ?? 0;
  const whole = Math.max(1, total ?? known, known);
  const part = (count: number, name: string) =>
    count > 0 ? <span className={`bar-part ${name}`} style={{ width: `${(count / whole) * 100}%` }} /> : null;
  const words = [
    [counts.complete, "complete"], [counts.running, "running"], [paused, "paused"], [counts.pruned, "pruned"], [counts.failed, "failed"],
    [total === null ? counts.waiting : Math.max(counts.waiting, total - ended - counts.running - paused), "waiting"],
  ] as const;
  return (
    <div className="progress">
      <progress className="unseen" aria-label="Trials ended" max={whole} value={ended} />
      <div className="bar" aria-hidden="true">
        {part(counts.complete, "good")}
        {part(counts.pruned, "idle")}
        {part(counts.failed, "bad")}
        {part(counts.running, "live")}
      </div>
      <p className="progress-words">
        <strong>{formatCount(ended)}{total === null ? "" : ` / ${formatCount(total)}`}</strong> trials
        {words.filter(([count]) => count > 0).map(([count, word]) => (
          <span key={word} className={`word ${word}`}>{formatCount(count)} {word}</span>
        ))}
      </p>
    </div>
  );
}
