// One name's logged values over a run: its last one at once, the rest piece by piece, and what is logged meanwhile.
import { ApiError, api } from "../api/client";
import { type Typed, typedOf } from "../api/typed";
import type { HistoryRow } from "../api/types";
import { Store } from "./store";

export interface Entry {
  row: number;
  step: number;
  time: number;
  typed: Typed;
}

export interface HistoryState {
  /** By step; of one step in the order of arrival. */
  entries: readonly Entry[];
  /** Whether all that was logged so far is here. */
  complete: boolean;
  reading: boolean;
}

const PIECE = 200;
const MOST = 5000; // entries before the reader is asked whether to go on
const MOST_SIZE = 24_000_000; // characters, likewise

/** Appends what came to what is there, and sorts only where it came out of order. */
export function merge(known: readonly Entry[], rows: readonly HistoryRow[], key: string): Entry[] {
  const out = [...known];
  let sorted = true;
  for (const { row, step, time, values } of rows) {
    const typed = typedOf(values[key]);
    if (typed === null) continue;
    const last = out[out.length - 1];
    if (last && step < last.step) sorted = false;
    out.push({ row, step, time, typed });
  }
  if (!sorted) out.sort((a, b) => a.step - b.step || a.row - b.row);
  return out;
}

/** The entry that stands at a step: the last one that is not above it, or else the first. */
export function entryAt(entries: readonly { step: number }[], step: number | null): number {
  if (step === null) return entries.length - 1;
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.step <= step) low = middle + 1;
    else high = middle;
  }
  return entries.length === 0 ? -1 : Math.max(0, low - 1);
}

export class HistoryStore {
  readonly state = new Store<HistoryState>({ entries: [], complete: false, reading: false });
  readonly error = new Store<ApiError | null>(null);
  #after: number | null = null;
  #size = 0;
  #allowed = MOST;
  #again = false;
  #abort = new AbortController();

  constructor(readonly run: string, readonly key: string) {
    void this.read();
  }

  close(): void {
    this.#abort.abort();
  }

  /** Reads what is not here yet; also called when something was logged since. */
  read = async (): Promise<void> => {
    this.#again = true;
    if (this.state.value.reading) return;
    this.error.set(null);
    try {
      while (this.#again && !this.#full) {
        this.#again = false;
        await this.#pieces();
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error.set(error);
    }
    this.state.set({ ...this.state.value, reading: false });
  };

  /** Reads on past the point at which the reader is asked. */
  more = (): void => {
    this.#allowed += MOST;
    this.#size = 0;
    void this.read();
  };

  get #full(): boolean {
    return this.state.value.entries.length >= this.#allowed || this.#size >= MOST_SIZE;
  }

  async #pieces(): Promise<void> {
    for (let more = true; more && !this.#full;) {
      this.state.set({ ...this.state.value, reading: true });
      const piece = await api.history(this.run, this.key, this.#after, PIECE, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      more = piece.more && piece.rows.length > 0;
      this.#after = piece.rows[piece.rows.length - 1]?.row ?? this.#after;
      this.#size += piece.size;
      this.state.set({ entries: merge(this.state.value.entries, piece.rows, this.key), complete: !more, reading: true });
    }
  }
}
