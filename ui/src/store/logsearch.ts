// Finding in a run's output: the server searches all of it; matches are read page by page and walked through.
import { ApiError } from "../api/client";
import { type LogMatch, type LogStream, tracking } from "../api/tracking";
import { Pace } from "./pace";
import { Store } from "./store";

const SETTLE = 220; // milliseconds of quiet before the server is asked
const PAGE = 200;
const MOST_AT_ONCE = 1000; // that the server gives
const MOST_WALKED = 20_000; // matches that are read to get from one end to the other
const AGAIN = 2000; // milliseconds in which what is written is gathered before it is searched
/** What programs write when something goes wrong. */
const TROUBLE = ["traceback (most recent call last)", "error:", "exception:", "fatal", "panic", "segmentation fault", "out of memory", "core dumped"];

export interface SearchText {
  text: string;
  case: boolean;
  /** Whether the text is a regular expression. */
  regex: boolean;
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

const NOTHING: SearchState = { text: "", case: false, regex: false, matches: [], count: null, complete: true, at: -1, searching: false };

export class LogSearch {
  readonly state = new Store<SearchState>(NOTHING);
  readonly error = new Store<ApiError | null>(null);
  #next: number | null = null;
  #timer: number | undefined;
  #abort: AbortController | null = null;

  readonly #pace: Pace;

  constructor(readonly run: string, readonly stream: LogStream, public attempt: number | null) {
    this.#pace = new Pace(() => void this.#pace.during(() => this.#again()), AGAIN);
  }

  /** Looks for something else. */
  write(changes: Partial<SearchText>): void {
    const { text, case: exact, regex } = { ...this.state.value, ...changes };
    this.#abort?.abort();
    clearTimeout(this.#timer);
    this.error.set(null);
    this.#next = null;
    this.state.set({ ...NOTHING, text, case: exact, regex, searching: text !== "" });
    if (text !== "") this.#timer = setTimeout(() => void this.#page(null), SETTLE);
  }

  /** The output has become longer: it is searched again after a while. */
  grown(): void {
    if (this.state.value.text !== "") this.#pace.mark();
  }

  /** Whose output is searched, where that was not known before. */
  pin(attempt: number): void {
    if (this.attempt === attempt) return;
    this.attempt = attempt;
    if (this.state.value.text !== "") this.write({});
  }

  /** Searches what has been written since; as many matches as are held are read, and the reader stays on theirs. */
  async #again(): Promise<void> {
    const { text, searching, matches } = this.state.value;
    if (text === "" || matches.length > MOST_AT_ONCE) return;
    if (searching) this.#pace.mark();
    else await this.#page(null, Math.max(PAGE, matches.length), true);
  }

  /** Reads a page of matches; whether it could, for what is looked for still. */
  async #page(after: number | null, limit = PAGE, quiet = false): Promise<boolean> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const { text, case: exact, regex } = this.state.value;
    if (!quiet) this.state.set({ ...this.state.value, searching: true });
    try {
      const found = await tracking.search(
        this.run, { text, case: exact, regex, attempt: this.attempt, stream: this.stream, after, limit }, abort.signal,
      );
      if (abort.signal.aborted) return false;
      this.#next = found.next;
      const before = this.state.value;
      const matches = after === null ? found.items : [...before.matches, ...found.items];
      // What is held is all that there is before this page.
      const count = found.count + (after === null ? 0 : before.matches.length);
      const on = before.matches[before.at]?.n;
      const at = on === undefined ? -1 : matches.findIndex(({ n }) => n === on);
      // A long output is searched part by part: one in which nothing was found is no answer yet.
      const goesOn = found.items.length === 0 && found.next !== null;
      this.state.set({ ...before, matches, count, at, complete: found.complete, searching: goesOn });
      return goesOn ? await this.#page(found.next, limit, quiet) : true;
    } catch (error) {
      if (abort.signal.aborted) return false;
      if (!(error instanceof ApiError)) throw error;
      this.error.set(error);
      this.state.set({ ...this.state.value, searching: false });
      return false;
    }
  }

  /**
   * Goes to the next or the previous match; gives its line, null where there is none. Before any it is the first at or
   * after `from`, or the last before it; from one end it goes on at the other.
   */
  async step(by: 1 | -1, from: number): Promise<number | null> {
    const place = (): { to: number; sure: boolean } => {
      const { matches, at } = this.state.value;
      if (at >= 0) return { to: at + by, sure: at + by >= 0 && at + by < matches.length };
      const first = matches.findIndex(({ n }) => n >= from);
      const to = by > 0 ? (first < 0 ? matches.length : first) : (first < 0 ? matches.length : first) - 1;
      return { to, sure: first >= 0 && to >= 0 };
    };
    if (this.state.value.matches.length === 0 && this.#next === null) return null;
    let { to, sure } = place();
    while (!sure && this.#next !== null) {
      const { length } = this.state.value.matches;
      if (length >= MOST_WALKED) return null;
      if (!(await this.#page(this.#next, length > PAGE ? MOST_AT_ONCE : PAGE))) return null;
      ({ to, sure } = place());
    }
    const { matches } = this.state.value;
    if (matches.length === 0) return null;
    to = (to + matches.length) % matches.length;
    this.state.set({ ...this.state.value, at: to });
    return matches[to]!.n;
  }

  /** The first line that tells of trouble. */
  async firstTrouble(): Promise<number | null> {
    const found = await Promise.all(TROUBLE.map((text) => tracking.search(
      this.run, { text, case: false, regex: false, attempt: this.attempt, stream: this.stream, after: null, limit: 1 },
    )));
    const first = Math.min(...found.map(({ items }) => items[0]?.n ?? Infinity));
    return Number.isFinite(first) ? first : null;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#pace.close();
    this.#abort?.abort();
  }
}
