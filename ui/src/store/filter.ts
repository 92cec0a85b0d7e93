// The text of a filter while it is written: what the server says of it, what completes it, and which clause leaves nothing.
import { ApiError } from "../api/client";
import { type CompletionItem, type FilterAnswer, tracking } from "../api/tracking";
import { Store } from "./store";

const SETTLE = 60; // milliseconds of quiet before the server is asked

export interface FilterState {
  text: string;
  /** What the server said of `text`, or of what stood there before it. */
  answer: FilterAnswer | null;
  /** Whether `answer` is about `text`. */
  known: boolean;
}

/** A filter without one of its clauses. */
export function without(answer: FilterAnswer, index: number): string {
  return answer.clauses.filter((_, i) => i !== index).map(({ text }) => text).join(" ");
}

/** The text with a completion in it, and where the cursor goes. A field is followed by what compares it, so no space. */
export function completed(
  text: string, range: { from: number; to: number }, item: CompletionItem,
): { text: string; at: number } {
  const rest = text.slice(range.to);
  const space = item.kind === "value" || item.kind === "word" ? (rest.startsWith(" ") ? "" : " ") : "";
  const before = text.slice(0, range.from) + item.text + space;
  return { text: before + rest, at: before.length };
}

/** One filter's text, asked about whenever it has not changed for a moment. `onValid` hears each text that is understood. */
export class FilterText {
  readonly state: Store<FilterState>;
  readonly error = new Store<ApiError | null>(null);
  #timer: number | undefined;
  #abort: AbortController | null = null;

  constructor(readonly project: string, text: string, readonly onValid: (text: string) => void) {
    this.state = new Store<FilterState>({ text, answer: null, known: false });
    this.#ask(text, text.length, false);
  }

  /** The text as it is now, with the cursor at a UTF-16 offset. */
  write(text: string, at: number): void {
    // The answer to what stood there before must not put it back.
    this.#abort?.abort();
    this.state.set({ ...this.state.value, text, known: text === this.state.value.text && this.state.value.known });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(text, at, true), SETTLE);
  }

  /** Another text came from outside: from the address, say. */
  take(text: string): void {
    if (text === this.state.value.text) return;
    this.state.set({ text, answer: null, known: false });
    this.#ask(text, text.length, false);
  }

  #ask(text: string, at: number, tell: boolean): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    tracking.filter(this.project, text, at, abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        this.error.set(null);
        this.state.set({ text, answer, known: true });
        if (tell && answer.valid) this.onValid(text.trim());
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        this.error.set(error);
      },
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }
}

/** The clause that removes the last runs: with all before it some are left, with it none. */
export async function emptyingClause(
  project: string, answer: FilterAnswer, archived: boolean, signal: AbortSignal,
): Promise<{ index: number; left: number } | null> {
  const texts = answer.clauses.map(({ text }) => text);
  let left = (await tracking.count(project, { q: "", archived }, signal)).total;
  for (let i = 0; i < texts.length; i++) {
    const now = i + 1 === texts.length ? 0 : (await tracking.count(project, { q: texts.slice(0, i + 1).join(" "), archived }, signal)).total;
    if (now === 0) return { index: i, left };
    left = now;
  }
  return null;
}
