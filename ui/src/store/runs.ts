// One run: read once, then kept fresh by the live feed; and what a run's state means.
import { api } from "../api/client";
import type { Attempt, Environment, Run, RunState } from "../api/types";
import { formatCount, formatDuration } from "../format";
import { Follow } from "./follow";
import { Store } from "./store";

const ENDED: ReadonlySet<RunState> = new Set(
  ["finished", "failed", "timedOut", "killed", "stopped", "preempted", "crashed"],
);

/** Whether a run has come to its end; a preempted one waits to go on elsewhere, but this attempt is over. */
export function hasEnded(state: RunState): boolean {
  return ENDED.has(state);
}

/** What the series of an ended run stand by: another value as soon as they may be others; null while the run goes on. */
export function endedAs(run: Run | null | undefined): string | null {
  if (!run || !hasEnded(run.state)) return null;
  return [run.state, run.attempts, run.ended_at, run.points, run.last_step].join(" ");
}

/** Reasons that tell nothing but that it went well, and how long it took. */
const SAYS_NO_MORE = /^(Finished|Exited with code 0)( after [^:]+)?\.?$/;

/** Of an ended run, how long it went on, how far it came, and why it ended where more is known than the state says. */
export function endSentence({ state, exit, started_at, ended_at, last_step }: Pick<Run, "state" | "exit" | "started_at" | "ended_at" | "last_step">): string {
  const reason = (exit?.reason ?? "").trim();
  const after = started_at === null || ended_at === null ? "" : ` after ${formatDuration(ended_at - started_at)}`;
  const at = last_step === null ? "" : ` at step ${formatCount(last_step)}`;
  if (reason === "" && started_at === null) return "Ended before it started.";
  const what = state === "finished" ? "Finished" : "Ended";
  if (reason === "" || SAYS_NO_MORE.test(reason)) return `${what}${after}${at}.`;
  const told = `${what}${/ after \d/.test(reason) ? "" : after}${at}`;
  return `${told}: ${reason}${/[.!?]$/.test(reason) ? "" : "."}`;
}

/** The order in which runs began, the newest first; trials of one moment by their numbers. */
export function newestFirst(a: Run, b: Run): number {
  return b.created_at - a.created_at || (b.trial ?? 0) - (a.trial ?? 0) || (a.id < b.id ? 1 : -1);
}

export const GATHER = 40; // milliseconds in which changes are gathered into one

/** One run with its attempts. */
export class RunStore {
  readonly run = new Store<Run | null>(null);
  readonly attempts = new Store<readonly Attempt[] | null>(null);
  readonly follow: Follow;
  /** Rows of the feed do without it. */
  readonly environment = new Store<Environment | null>(null);
  #heard = false;

  constructor(readonly id: string) {
    this.follow = new Follow({
      request: () => ({ topic: "run", run: id }),
      read: async (signal) => {
        this.#heard = false;
        const run = await api.run(id, signal);
        if (!this.#heard) this.run.set(run);
        this.environment.set(run.environment ?? null);
        await this.#readAttempts(signal);
      },
      message: (message) => {
        // In the trash it can still be read; gone for ever, the reading says so.
        if (message.type === "deleted") this.follow.read();
        if (message.type !== "run") return;
        const before = this.run.value;
        this.#heard = true;
        this.run.set(message.run);
        // Attempts have no messages of their own: they change when the run's state or its attempt does.
        if (before?.state !== message.run.state || before.attempts !== message.run.attempts) this.follow.read();
      },
    });
  }

  async #readAttempts(signal: AbortSignal): Promise<void> {
    this.attempts.set((await api.attempts(this.id, signal)).items);
  }

  close(): void {
    this.follow.close();
  }
}
