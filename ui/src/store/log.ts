// A run's output: its end is read first, more on demand, and what is written meanwhile follows.
import { ApiError, api } from "../api/client";
import type { LiveMessage } from "../api/types";
import { Follow } from "./follow";
import { LogLines } from "./lines";
import { Store } from "./store";

const TAIL = 256 * 1024;
const PIECE = 1024 * 1024;
const LARGEST = 4 * PIECE; // the server gives no more at once
const PIECES = 8; // read for one wish for earlier lines, of which some may be the inside of one long line

export interface LogState {
  /** A new array whenever something changed. */
  lines: readonly string[];
  /** Where the first line begins, in bytes; 0 when all of it is here. */
  from: number;
  /** Whether lines were dropped from the beginning, since there are too many. */
  trimmed: boolean;
  ended: boolean;
  loading: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Without the rest of a character that begins before the text: the server wrote each byte of it as U+FFFD. */
function wholeCharacters(text: string, offset: number): { text: string; offset: number } {
  const whole = text.replace(/^\uFFFD{1,3}/, "");
  return { text: whole, offset: offset + text.length - whole.length };
}

export class LogStore {
  readonly state = new Store<LogState>({ lines: [], from: 0, trimmed: false, ended: false, loading: true });
  readonly error = new Store<ApiError | null>(null);
  #log = new LogLines();
  #next = 0;
  #ended = false;
  #follow: Follow | null = null;
  #closed = false;
  #readingEarlier = false;

  constructor(readonly run: string, readonly stream: "stdout" | "stderr", readonly attempt: number) {
    void this.begin();
  }

  /** Reads the end of the log, and follows from there. */
  async begin(): Promise<void> {
    this.error.set(null);
    await this.#guard(async () => {
      const piece = await api.log(this.run, this.stream, this.attempt, -TAIL, TAIL);
      // The server begins where a line does: only a line longer than the window keeps it where it is.
      const torn = piece.offset > 0 && piece.offset === piece.size - TAIL;
      const { text, offset } = torn ? wholeCharacters(piece.text, piece.offset) : piece;
      this.#log.append(text, offset, torn);
      this.#next = piece.next_offset;
      this.#ended = piece.ended && piece.next_offset >= piece.size;
      this.#publish();
      if (this.#closed || this.#ended) return;
      this.#follow = new Follow({
        request: () => ({
          topic: "log", run: this.run, stream: this.stream, attempt: this.attempt, offset: this.#next,
        }),
        read: (signal) => this.#catchUp(signal),
        message: (message) => this.#heard(message),
      });
    });
  }

  /** Reads what stands before the first line, until there is a line more. */
  async earlier(): Promise<void> {
    if (this.#readingEarlier) return;
    this.#readingEarlier = true;
    this.error.set(null);
    await this.#guard(async () => {
      const { length } = this.#log.lines;
      let size = PIECE;
      for (let i = 0; i < PIECES && this.#from > 0 && this.#log.lines.length <= length; i++) {
        if (!(await this.#readBefore(size))) break;
        size = Math.min(LARGEST, size * 2);
      }
      this.#publish();
    }).finally(() => (this.#readingEarlier = false));
  }

  /** Reads about so many bytes before the first line. False when that led nowhere. */
  async #readBefore(size: number): Promise<boolean> {
    const end = this.#from;
    const start = Math.max(0, end - size);
    let [found, at] = ["", start];
    do {
      const piece = await api.log(this.run, this.stream, this.attempt, at, end - at);
      found += piece.text;
      if (piece.next_offset <= at) break;
      at = piece.next_offset;
      // A piece ends with a line's end: of the line that `end` lies in, the beginning comes with another one.
    } while (at < end && this.#log.torn);
    // Closed, or the first line is another one by now.
    if (this.#closed || this.#from !== end) return false;
    if (start === 0) this.#log.prepend(found, 0);
    else {
      const { text, offset } = wholeCharacters(found, start);
      // The line that `start` lies in is left to the next reading, unless it is all there is.
      const cut = text.indexOf("\n") + 1;
      if (cut === 0 || cut === text.length) this.#log.prepend(text, offset, true);
      else this.#log.prepend(text.slice(cut), offset + encoder.encode(text.slice(0, cut)).length);
    }
    return this.#from < end;
  }

  /** Where the first line begins. */
  get #from(): number {
    return this.#log.from ?? this.#next;
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error.set(error);
    }
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (;;) {
      const at = this.#next;
      const piece = await api.log(this.run, this.stream, this.attempt, at, PIECE, signal);
      signal.throwIfAborted();
      this.#take(piece.offset, piece.next_offset, piece.text);
      this.#ended = piece.ended && this.#next >= piece.size;
      this.#publish();
      if (this.#next >= piece.size || this.#next === at) return;
    }
  }

  #heard(message: LiveMessage): void {
    if (message.type !== "log") return;
    if (message.offset > this.#next) {
      this.#follow?.read();
      return;
    }
    this.#take(message.offset, message.next_offset, message.text);
    this.#ended ||= message.ended;
    this.#publish();
  }

  /** Appends what of a piece is not there yet: history and live feed may overlap. */
  #take(offset: number, next: number, text: string): void {
    if (next <= this.#next) return;
    const known = this.#next - offset;
    this.#log.append(known > 0 ? decoder.decode(encoder.encode(text).slice(known)) : text, this.#next);
    this.#next = next;
  }

  #publish(): void {
    const { lines, dropped } = this.#log;
    this.state.set({
      lines: [...lines], from: this.#from, trimmed: dropped > 0, ended: this.#ended, loading: false,
    });
  }

  close(): void {
    this.#closed = true;
    this.#follow?.close();
  }
}
