// A run's output: its end is read first, more on demand, and what is written meanwhile follows.
import { ApiError, api } from "../api/client";
import type { LiveMessage } from "../api/types";
import { Follow } from "./follow";
import { Store } from "./store";

const TAIL = 256 * 1024;
const PIECE = 1024 * 1024;
const MOST_LINES = 200_000;

/** Output as lines. A carriage return writes a line anew, as in a terminal: a progress bar stays one line. */
export class LogLines {
  lines: string[] = [];
  /** Whether the last line still lacks its end. */
  #open = false;

  append(text: string): void {
    if (text === "") return;
    const pieces = text.split("\n");
    const last = pieces.pop()!;
    for (const piece of pieces) {
      this.#extend(piece);
      this.#open = false;
    }
    if (last !== "") {
      this.#extend(last);
      this.#open = true;
    }
    if (this.lines.length > MOST_LINES) this.lines.splice(0, this.lines.length - MOST_LINES);
  }

  prepend(text: string): void {
    const earlier = new LogLines();
    earlier.append(text);
    this.lines = [...earlier.lines, ...this.lines];
  }

  #extend(piece: string): void {
    if (this.#open) this.lines[this.lines.length - 1] = overwrite(this.lines[this.lines.length - 1]! + piece);
    else this.lines.push(overwrite(piece));
  }
}

/** What a terminal shows of a line with carriage returns. One at the very end may be half of a line's end: it waits. */
export function overwrite(line: string): string {
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  const at = whole.lastIndexOf("\r");
  if (at < 0) return line;
  return whole.slice(at + 1) + line.slice(whole.length);
}

export interface LogState {
  /** A new array whenever something changed. */
  lines: readonly string[];
  /** Where the first line begins, in bytes; 0 when all of it is here. */
  from: number;
  ended: boolean;
  loading: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class LogStore {
  readonly state = new Store<LogState>({ lines: [], from: 0, ended: false, loading: true });
  readonly error = new Store<ApiError | null>(null);
  #log = new LogLines();
  #from = 0;
  #next = 0;
  #ended = false;
  #follow: Follow | null = null;
  #closed = false;

  constructor(readonly run: string, readonly stream: "stdout" | "stderr", readonly attempt: number) {
    void this.begin();
  }

  /** Reads the end of the log, and follows from there. */
  async begin(): Promise<void> {
    this.error.set(null);
    await this.#guard(async () => {
      const piece = await api.log(this.run, this.stream, this.attempt, -TAIL, TAIL);
      let text = piece.text;
      this.#from = piece.offset;
      if (piece.offset > 0) {
        // The window begins somewhere inside a line; that line is left to "earlier".
        const cut = text.indexOf("\n") + 1;
        this.#from += encoder.encode(text.slice(0, cut)).length;
        text = text.slice(cut);
      }
      this.#log.append(text);
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

  /** Reads a piece before what is shown. */
  async earlier(): Promise<void> {
    await this.#guard(async () => {
      const offset = Math.max(0, this.#from - PIECE);
      const piece = await api.log(this.run, this.stream, this.attempt, offset, this.#from - offset);
      const cut = offset > 0 ? piece.text.indexOf("\n") + 1 : 0;
      this.#log.prepend(piece.text.slice(cut));
      this.#from = offset + (cut > 0 ? encoder.encode(piece.text.slice(0, cut)).length : 0);
      this.#publish();
    });
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
    this.#log.append(known > 0 ? decoder.decode(encoder.encode(text).slice(known)) : text);
    this.#next = next;
  }

  #publish(): void {
    this.state.set({ lines: [...this.#log.lines], from: this.#from, ended: this.#ended, loading: false });
  }

  close(): void {
    this.#closed = true;
    this.#follow?.close();
  }
}
