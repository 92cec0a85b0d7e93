// The sweeps of a project, and one sweep with its trials: read once, then kept fresh by the live feed.
import { api } from "../api/client";
import type { Sweep, SweepState, Trial } from "../api/types";
import { toNumber } from "../format";
import { Follow } from "./follow";
import { isFeasible, valueOf } from "./objectives";
import { Rows } from "./rows";
import { Store } from "./store";

const ENDED: ReadonlySet<SweepState> = new Set(["finished", "stopped", "failed", "cancelled"]);

export function sweepHasEnded(state: SweepState): boolean {
  return ENDED.has(state);
}

/** How many trials there are, ended ones, and how many there will be at most (null: no end in sight). */
export function progressOf({ counts, budget, space_size }: Sweep): { ended: number; known: number; total: number | null } {
  const ended = counts.complete + counts.pruned + counts.failed;
  const known = ended + counts.running + counts.waiting + (counts.paused ?? 0);
  return { ended, known, total: budget ?? space_size };
}

export function maximises(sweep: Sweep): boolean {
  return sweep.metric?.goal.startsWith("max") ?? false;
}

/** Best first, behind them those that miss a constraint; then those without an objective, failed ones last, each in the order of numbers. */
export function rank(trials: readonly Trial[], maximise: boolean): Trial[] {
  const group = (trial: Trial): number => {
    if (trial.state === "failed") return 3;
    if (!Number.isFinite(toNumber(trial.objective))) return 2;
    return isFeasible(trial) ? 0 : 1;
  };
  return [...trials].sort((a, b) => {
    const byGroup = group(a) - group(b);
    if (byGroup !== 0) return byGroup;
    if (group(a) < 2) {
      const difference = toNumber(a.objective) - toNumber(b.objective);
      if (difference !== 0) return maximise ? -difference : difference;
    }
    return a.number - b.number;
  });
}

/** The best value of an objective up to each complete trial that meets every constraint, in the order of numbers. */
export function bestSoFar(trials: readonly Trial[], maximise: boolean, objective = 0): { number: number; best: number }[] {
  const done = trials.filter((trial) => trial.state === "complete" && isFeasible(trial) && Number.isFinite(valueOf(trial, objective)));
  done.sort((a, b) => a.number - b.number);
  let best = maximise ? -Infinity : Infinity;
  return done.map((trial) => {
    const value = valueOf(trial, objective);
    best = maximise ? Math.max(best, value) : Math.min(best, value);
    return { number: trial.number, best };
  });
}

/** The trial that failed as a pause says: the newest run of failures begins with it. */
export function firstFailure(trials: readonly Trial[], reason: string): Trial | null {
  const told = reason.trim().replace(/[.!?]$/, "");
  const alike = trials.filter((trial) => trial.state === "failed" && (trial.reason ?? "").trim().replace(/[.!?]$/, "") === told);
  // Of the same failure in several rows, the first after the last trial that did not fail.
  const good = Math.max(-1, ...trials.filter(({ state }) => state === "complete" || state === "pruned").map(({ number }) => number));
  return alike.find(({ number }) => number > good) ?? alike[alike.length - 1] ?? null;
}

const LOOKED_AT = 10; // trials that ended last

/** Of the trials that ended last how many failed, and why most of them did; null: none. */
export function recentFailures(trials: readonly Trial[]): { failed: number; of: number; reason: string | null } | null {
  const last = trials.filter((trial) => trial.ended_at !== null).sort((a, b) => b.ended_at! - a.ended_at! || b.number - a.number).slice(0, LOOKED_AT);
  const failed = last.filter(({ state }) => state === "failed");
  if (failed.length === 0) return null;
  const reasons = new Map<string, number>();
  for (const { reason } of failed) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  // Of equally frequent ones the newest.
  const [most] = [...reasons].sort(([, a], [, b]) => b - a);
  return { failed: failed.length, of: last.length, reason: most?.[0] ?? null };
}

const RECENT = 20;

export class SweepsStore {
  readonly state = new Store<{ sweeps: readonly Sweep[]; complete: boolean }>({ sweeps: [], complete: false });
  readonly follow: Follow;
  #rows = new Rows<string, Sweep>((sweep) => sweep.id);

  /** The sweeps of a project, or with null the newest of all. */
  constructor(readonly project: string | null) {
    this.follow = new Follow({
      request: () => ({ topic: "sweeps" }),
      read: async (signal) => {
        this.#rows.begin();
        const sweeps = project === null ? (await api.recentSweeps(RECENT, signal)).items : await api.sweeps(project, signal);
        signal.throwIfAborted();
        this.#rows.page(sweeps);
        this.#rows.end();
        this.#publish(true);
      },
      message: (message) => {
        if (message.type !== "sweep" || (project !== null && message.sweep.project !== project)) return;
        this.#rows.put(message.sweep);
        this.#publish(this.state.value.complete);
      },
    });
  }

  #publish(complete: boolean): void {
    const sweeps = [...this.#rows.all.values()].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
    this.state.set({ sweeps, complete });
  }

  close(): void {
    this.follow.close();
  }
}

export class SweepStore {
  readonly state = new Store<{ sweep: Sweep; trials: readonly Trial[] } | null>(null);
  readonly follow: Follow;
  #sweep: Sweep | null = null;
  #heard = false;
  #rows = new Rows<number, Trial>((trial) => trial.number);
  #complete = false;

  constructor(readonly id: string) {
    this.follow = new Follow({
      request: () => ({ topic: "sweep", sweep: id }),
      read: async (signal) => {
        this.#heard = false;
        this.#rows.begin();
        const [sweep, trials] = await Promise.all([api.sweep(id, signal), api.trials(id, signal)]);
        signal.throwIfAborted();
        if (!this.#heard) this.#sweep = sweep;
        this.#rows.page(trials.items);
        this.#rows.end();
        this.#complete = true;
        this.#publish();
      },
      message: (message) => {
        if (message.type !== "sweep") return;
        this.#heard = true;
        this.#sweep = message.sweep;
        for (const trial of message.trials ?? []) this.#rows.put(trial);
        this.#publish();
      },
    });
  }

  #publish(): void {
    if (!this.#sweep || !this.#complete) return;
    const trials = [...this.#rows.all.values()].sort((a, b) => a.number - b.number);
    this.state.set({ sweep: this.#sweep, trials });
  }

  close(): void {
    this.follow.close();
  }
}
