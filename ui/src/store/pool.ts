// The pool of the server, followed as long as somebody is signed in: the meter, the pool page and what runs wait for.
import type { ApiError } from "../api/client";
import { poolAPI } from "../api/pool";
import { tracking } from "../api/tracking";
import type { Pool, QueueEntry } from "../api/types";
import { Follow } from "./follow";
import { PoolHistory } from "./lanes";
import { Pace } from "./pace";
import { Store } from "./store";

const PAST = "ended>-4h"; // the runs that are remembered before the page was loaded
const MOST_PAST = 500;
const RECALL_AFTER = 1500; // milliseconds in which changes are gathered

export class PoolStore {
  readonly state = new Store<Pool | null>(null);
  /** Why it could not be read. */
  readonly error = new Store<ApiError | null>(null);
  seen = new PoolHistory();
  /** Moves when what was seen is more than the last state tells. */
  readonly remembered = new Store(0);
  #follow: Follow | null = null;
  #heard = false;
  /** The newest end that was read. */
  #until: number | null = null;

  constructor(readonly now: () => number = () => Date.now() * 1000) {}

  open(): void {
    if (this.#follow) return;
    const follow = new Follow({
      request: () => ({ topic: "pool" }),
      read: async (signal) => {
        this.#heard = false;
        const pool = await poolAPI.pool(signal);
        signal.throwIfAborted();
        if (!this.#heard) this.#take(pool);
      },
      message: (message) => {
        if (message.type !== "pool") return;
        this.#heard = true;
        this.#take(message.pool);
      },
    });
    follow.error.subscribe(() => this.error.set(follow.error.value));
    this.#follow = follow;
  }

  read = (): void => this.#follow?.read();

  /**
   * Reads what has ended lately, and then what ended since it was read last: so that the lanes do not begin with this page,
   * and hold what came and went between two messages.
   */
  async recall(signal: AbortSignal): Promise<void> {
    const q = this.#until === null ? PAST : `ended>=${this.#until}`;
    const { items } = await tracking.runs(null, { q, sort: "-ended", archived: "any" }, MOST_PAST, null, signal);
    signal.throwIfAborted();
    this.#until = Math.max(this.#until ?? 0, ...items.map(({ ended_at }) => ended_at ?? 0)) || null;
    this.seen.remember(items, this.now());
    this.remembered.set(this.remembered.value + 1);
  }

  /** Recalls now, and whenever others run or wait, until the returned function is called. */
  keepRecalling(): () => void {
    const abort = new AbortController();
    // It is a comfort: without it the lanes hold what this page has seen.
    const pace: Pace = new Pace(() => void pace.during(() => this.recall(abort.signal).catch(() => {})), RECALL_AFTER);
    let before = "";
    const forget = this.state.subscribe(() => {
      const { running, totals } = this.state.value ?? { running: [], totals: null };
      const now = `${totals?.waiting} ${running.map(({ run, attempt }) => `${run}.${attempt}`).join()}`;
      if (now !== before) pace.mark();
      before = now;
    });
    pace.read();
    return () => {
      forget();
      pace.close();
      abort.abort();
    };
  }

  #take(pool: Pool): void {
    this.seen.take(pool, this.now());
    this.state.set(pool);
  }

  close(): void {
    this.#follow?.close();
    this.#follow = null;
    // Who signs in next may see something else.
    this.state.set(null);
    this.error.set(null);
    this.seen = new PoolHistory();
    this.#until = null;
  }
}

export const poolStore = new PoolStore();

/** Of the run that waits, how it stands in the line. */
export function queuedAs(pool: Pool | null, run: string): QueueEntry | null {
  return pool?.queue.find((entry) => entry.run === run) ?? null;
}
