// The runs of a project (or of all), and one run: read once, then kept fresh by the live feed.
import { api } from "../api/client";
import type { Attempt, Run, RunState } from "../api/types";
import { slots } from "./colours";
import { Follow } from "./follow";
import { Rows } from "./rows";
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

export interface RunsState {
  /** Newest first. */
  runs: readonly Run[];
  byId: ReadonlyMap<string, Run>;
  /** Whether the whole list has been read once. */
  complete: boolean;
}

export const GATHER = 40; // milliseconds in which changes are gathered into one

export class RunsStore {
  readonly state = new Store<RunsState>({ runs: [], byId: new Map(), complete: false });
  readonly follow: Follow;
  #rows = new Rows<string, Run>((run) => run.id);
  #complete = false;
  #timer: number | undefined;

  constructor(readonly project: string) {
    this.follow = new Follow({
      request: () => ({ topic: "runs", project }),
      read: async (signal) => {
        this.#rows.begin();
        await api.runs(project, (page) => {
          if (signal.aborted) return;
          this.#rows.page(page);
          this.#publish();
        }, signal);
        signal.throwIfAborted();
        this.#rows.end();
        this.#complete = true;
        this.#publish();
      },
      message: (message) => {
        if (message.type === "run") this.#rows.put(message.run);
        else if (message.type === "deleted") this.#rows.remove(message.run);
        else return;
        this.#timer ??= setTimeout(() => this.#publish(), GATHER);
      },
    });
  }

  #publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const runs = [...this.#rows.all.values()].sort((a, b) => b.created_at - a.created_at || (b.trial ?? 0) - (a.trial ?? 0) || (a.id < b.id ? 1 : -1));
    slots.assign(this.project, runs);
    this.state.set({ runs, byId: new Map(this.#rows.all), complete: this.#complete });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.follow.close();
  }
}

/** One run with its attempts. */
export class RunStore {
  readonly run = new Store<Run | null>(null);
  readonly attempts = new Store<readonly Attempt[] | null>(null);
  readonly follow: Follow;
  #heard = false;

  constructor(readonly id: string) {
    this.follow = new Follow({
      request: () => ({ topic: "run", run: id }),
      read: async (signal) => {
        this.#heard = false;
        const run = await api.run(id, signal);
        if (!this.#heard) this.run.set(run);
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
