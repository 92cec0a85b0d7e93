// A sweep in sentences: how many trials at a time, and what would follow from what a reader is about to do.
import type { Sweep } from "../api/types";
import { formatCount, plural } from "../format";
import { progressOf, sweepHasEnded } from "./sweeps";

/** How many trials it has at a time. */
export function windowWords({ max_parallel, max_parallel_auto }: Sweep): string {
  if (max_parallel_auto) return "as many at a time as there is room for";
  return max_parallel === 0 ? "run by agents" : `${formatCount(max_parallel)} at a time`;
}

/** What becomes of an ended sweep that goes on beside the trials that it is to have more; empty: nothing else. */
function left(sweep: Sweep): string {
  if (sweep.budget === null) return " It has no limit of trials: it goes on until it is stopped, or nothing is left to try.";
  const rest = sweep.budget - progressOf(sweep).known;
  return rest > 0 ? ` It had ${plural(rest, "trial")} left: it goes on with ${rest === 1 ? "that" : "those"}, too.` : " Then it ends again.";
}

/** What trying the point of one of its trials again means, so many times. */
export function againWords(sweep: Sweep, times: number): string {
  const one = times === 1;
  const what = `The same parameters as ${one ? "one more trial with a seed of its own" : `${formatCount(times)} more trials, each with a seed of its own`}`
    + " (MARTLET_SEED).";
  if (sweepHasEnded(sweep.state)) return `${what} The sweep has ended, and is taken up again for ${one ? "it" : "them"}.${left(sweep)}`;
  const when = sweep.state === "paused" ? " When the sweep is resumed" : "";
  const first = `${when === "" ? (one ? " It is" : " They are") : `${when}, ${one ? "it is" : "they are"}`} tried before ${sweep.method} is asked again.`;
  const most = sweep.budget === null ? "" : ` There are ${formatCount(sweep.budget + times)} trials at most then, in place of ${formatCount(sweep.budget)}.`;
  return what + first + most;
}

/** What going on with so many trials at most means to a sweep that has ended; null: without a limit. */
export function goOnWords(sweep: Sweep, budget: number | null): string {
  const { known } = progressOf(sweep);
  const what = `It is taken up again with all that it learned from ${plural(known, "trial")}`;
  if (budget === null) return `${what}, and goes on until it is stopped, or nothing is left to try.`;
  return `${what}, has up to ${formatCount(budget - known)} more, and ends again.`;
}
