// Finding in a run's output: the server searches all of it; matches are read page by page and walked through.
import { ApiError } from "../api/client";
import { type LogMatch, type LogStream, tracking } from "../api/tracking";
import { Store } from "./store";

const SETTLE = 220; // milliseconds of quiet before the server is asked
const PAGE = 200;
/** What programs write when something goes wrong. */
const TROUBLE = ["traceback (most recent call last)", "error:", "exception:", "fatal", "panic", "segmentation fault", "out of memory", "core dumped"];

export interface SearchText {
  text: string;
  case: boolean;
}

export interface SearchState extends SearchText {
  matches: readonly LogMatch[];
  /** How many lines match; null until that is known. */
  count: number | null;
  /** Whether all of the output was searched. */
  complete: boolean;
  /** Which of the matches is the one that the reader stands on, -1 before any. */
  at: number;
  searching: boolean;
}

const NOTHING: SearchState = { text: "", case: false, matches: [], count: null, complete: true, at: -1, searching: false };

export class LogSearch {
  readonly state = new Store<SearchState>(NOTHING);
  readonly error = new Store<ApiError | null>(null);
  #next: number | null = null;
  #timer: number | undefined;
  #abort: AbortController | null = null;

  constructor(readonly run: string, readonly stream: LogStream, readonly attempt: number | null) {}

  /** Looks for something else. */
  write(changes: Partial<SearchText>): void {
    const { text, case: exact } = { ...this.state.value, ...changes };
    this.#abort?.abort();
    clearTimeout(this.#timer);
    this.error.set(null);
    this.state.set({ ...NOTHING, text, case: exact, searching: text !== "" });
    if (text !== "") this.#timer = setTimeout(() => void this.#page(null), SETTLE);
  }

  /** Searches what has been written since. */
  async again(): Promise<void> {
    const { text, complete, searching } = this.state.value;
    if (text === "" || searching || (complete && this.#next !== null)) return;
    await this.#page(null);
  }

  async #page(after: number | null): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const { text, case: exact } = this.state.value;
    this.state.set({ ...this.state.value, searching: true });
    try {
      const found = await tracking.search(
        this.run, { text, case: exact, attempt: this.attempt, stream: this.stream, after, limit: PAGE }, abort.signal,
      );
      if (abort.signal.aborted) return;
      this.#next = found.next;
      const matches = after === null ? found.items : [...this.state.value.matches, ...found.items];
      const count = after === null ? found.count : this.state.value.count;
      this.state.set({ ...this.state.value, matches, count, complete: found.complete, searching: false });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error.set(error);
      this.state.set({ ...this.state.value, searching: false });
    }
  }

  /** Goes to the next or the previous match; gives its line. Before any it is the first at or after `from`. */
  async step(by: 1 | -1, from: number): Promise<number | null> {
    const { matches, at } = this.state.value;
    if (matches.length === 0) return null;
    let to = at + by;
    if (at < 0) {
      const first = matches.findIndex(({ n }) => n >= from);
      to = by > 0 ? (first < 0 ? 0 : first) : first <= 0 ? matches.length - 1 : first - 1;
    }
    if (to >= matches.length && this.#next !== null) await this.#page(this.#next);
    const all = this.state.value.matches;
    to = (to + all.length) % all.length;
    this.state.set({ ...this.state.value, at: to });
    return all[to]!.n;
  }

  /** The first line that tells of trouble. */
  async firstTrouble(): Promise<number | null> {
    const found = await Promise.all(TROUBLE.map((text) => tracking.search(
      this.run, { text, case: false, attempt: this.attempt, stream: this.stream, after: null, limit: 1 },
    )));
    const first = Math.min(...found.map(({ items }) => items[0]?.n ?? Infinity));
    return Number.isFinite(first) ? first : null;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }
}
