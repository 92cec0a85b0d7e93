// One thing done with many runs: a few at a time, failures told once.
import { ApiError } from "../api/client";
import type { Run } from "../api/types";
import { toast } from "../components/Toast";
import { plural } from "../format";

const AT_ONCE = 4; // requests at a time

/** Does something with each run, a few at a time; gives those it was done with, and says why it was not done with others. */
export async function each(runs: readonly Run[], work: (run: Run) => Promise<unknown>): Promise<Run[]> {
  const done: Run[] = [];
  const failed: ApiError[] = [];
  const left = [...runs];
  const worker = async () => {
    for (let run = left.shift(); run; run = left.shift()) {
      try {
        await work(run);
        done.push(run);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const first = failed[0];
  if (first) {
    const others = failed.length > 1 ? ` So ${failed.length} of ${plural(runs.length, "run")} failed.` : "";
    toast(`${first.message} ${first.hint ?? ""}${others}`, { bad: true });
  }
  return done;
}

export const named = (runs: readonly Run[]): string => (runs.length === 1 ? runs[0]!.name : plural(runs.length, "run"));
export const verb = (runs: readonly Run[]): string => (runs.length === 1 ? "is" : "are");
