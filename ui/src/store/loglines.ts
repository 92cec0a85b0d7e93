// A run's output by line numbers: only the lines in sight are read, and those that may still change are read again.
import { ApiError, api } from "../api/client";
import { live, type Subscription } from "../api/live";
import { type LogLine, type LogStream, tracking } from "../api/tracking";
import { Store } from "./store";

export const BLOCK = 400; // lines that are read at once
const KEPT = 80; // blocks
const GATHER = 250; // milliseconds in which news are gathered
const POLL = 2000; // milliseconds between looks where the feed tells nothing

export interface LogLinesState {
  /** How many lines there are; null until the server has answered. */
  total: number | null;
  ended: boolean;
  /** Moves with each change. */
  version: number;
  attempt: number | null;
  /** The attempts that have output, where the server says so. */
  attempts: number;
}

/** The block that a line is in. Lines count from 0 here, as the server counts them. */
export const blockOf = (n: number): number => Math.floor(n / BLOCK);

export class LogLines {
  readonly state = new Store<LogLinesState>({ total: null, ended: false, version: 0, attempt: null, attempts: 0 });
  readonly error = new Store<ApiError | null>(null);
  #blocks = new Map<number, { lines: readonly LogLine[]; settled: boolean }>();
  #reading = new Set<number>();
  #sight: [number, number] = [0, 0];
  #subscriptions: Subscription[] = [];
  #listening = false;
  /** The attempt whose lines these are: where the newest was asked for, the newest of the first answer. */
  #attempt: number | null;
  #timer: number | undefined;
  #poll: number | undefined;
  #closed = false;

  constructor(readonly run: string, readonly stream: LogStream, attempt: number | null, readonly active: boolean) {
    this.#attempt = attempt;
    void this.#begin();
  }

  line(n: number): LogLine | undefined {
    return this.#blocks.get(blockOf(n))?.lines[n % BLOCK];
  }

  /** The end is read first: it is what most readers want to see. */
  async #begin(): Promise<void> {
    await this.#guard(async () => {
      const answer = await tracking.lines(this.run, { attempt: this.#attempt, stream: this.stream, from: -BLOCK, count: BLOCK });
      if (this.#closed) return;
      this.#told(answer);
      await this.#listen();
      if (answer.total > 0) await this.#read(blockOf(answer.total - 1));
    });
  }

  /** Hears of what is written, where more may come. As long as the feed does not tell, it is looked for. */
  async #listen(): Promise<void> {
    if (!this.active || this.#listening || this.state.value.ended) return;
    this.#listening = true;
    const made: Subscription[] = [];
    try {
      // Without one there is no output of any attempt yet.
      const attempt = this.#attempt;
      if (attempt !== null) {
        for (const stream of this.stream === "all" ? ["stdout", "stderr"] : [this.stream]) {
          made.push(await this.#subscription(stream, attempt));
        }
      }
      this.#listening = attempt !== null;
    } catch (error) {
      this.#listening = false;
      for (const each of made.splice(0)) each.close();
      if (!(error instanceof ApiError)) throw error;
    }
    if (this.#closed) {
      for (const each of made) each.close();
      return;
    }
    this.#subscriptions.push(...made);
    clearInterval(this.#poll);
    this.#poll = this.#listening ? undefined : setInterval(() => this.#news(), POLL);
  }

  async #subscription(stream: string, attempt: number): Promise<Subscription> {
    let offset = (await api.log(this.run, stream, attempt, -1, 1)).size;
    return live.subscribe(() => ({ topic: "log", run: this.run, stream, attempt, offset }), {
      subscribed: (anew) => anew && this.#news(),
      message: (message) => {
        if (message.type !== "log") return;
        offset = Math.max(offset, message.next_offset);
        this.#news();
      },
      // What the feed cannot tell is looked for.
      error: () => {
        if (!this.#closed) this.#poll ??= setInterval(() => this.#news(), POLL);
      },
    });
  }

  #news(): void {
    this.#again(GATHER);
  }

  #again(after: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, after);
  }

  /** Reads the end again, and what in sight may have changed. */
  refresh = async (): Promise<void> => {
    if (this.state.value.total === null) {
      await this.#begin();
      return;
    }
    await this.#guard(async () => {
      await this.#listen();
      const last = blockOf(Math.max(0, (this.state.value.total ?? 0) - 1));
      for (const [block, { settled }] of this.#blocks) {
        if (!settled && block !== last && !this.#inSight(block)) this.#blocks.delete(block);
      }
      await this.#read(last);
      const end = Math.max(0, (this.state.value.total ?? 0) - 1);
      for (let block = blockOf(this.#sight[0]); block <= blockOf(Math.min(end, this.#sight[1])); block++) {
        if (!this.#blocks.get(block)?.settled) await this.#read(block);
      }
    });
  };

  #inSight(block: number): boolean {
    return block >= blockOf(this.#sight[0]) && block <= blockOf(this.#sight[1]);
  }

  /** Lines that are to be shown, both ends included. */
  look(first: number, last: number): void {
    this.#sight = [Math.max(0, first), Math.max(0, last)];
    const { total } = this.state.value;
    if (total === null || total === 0) return;
    for (let block = blockOf(this.#sight[0]); block <= blockOf(Math.min(total - 1, this.#sight[1])); block++) {
      const held = this.#blocks.get(block);
      const full = held && (held.settled || block * BLOCK + held.lines.length >= total || held.lines.length === BLOCK);
      if (!full && !this.#reading.has(block)) void this.#guard(() => this.#read(block));
    }
  }

  async #read(block: number): Promise<void> {
    this.#reading.add(block);
    try {
      const from = block * BLOCK;
      const answer = await tracking.lines(this.run, { attempt: this.#attempt, stream: this.stream, from, count: BLOCK });
      if (this.#closed) return;
      const lines = answer.items.filter(({ n }) => n >= from && n < from + BLOCK);
      this.#blocks.delete(block);
      const settled = answer.ended || (lines.length === BLOCK && answer.settled >= from + BLOCK);
      this.#blocks.set(block, { lines, settled });
      for (const oldest of this.#blocks.keys()) {
        if (this.#blocks.size <= KEPT) break;
        if (!this.#inSight(oldest)) this.#blocks.delete(oldest);
      }
      this.#told(answer);
    } finally {
      this.#reading.delete(block);
    }
  }

  #told(answer: { total: number; ended: boolean; attempt: number; attempts: number }): void {
    this.error.set(null);
    // A newer one may begin at any time; lines of two would stand under one numbering.
    if (answer.attempt > 0) this.#attempt ??= answer.attempt;
    this.state.set({
      total: answer.total, ended: answer.ended, attempt: answer.attempt, attempts: answer.attempts,
      version: this.state.value.version + 1,
    });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#closed) return;
      this.error.set(error);
      // A long output is counted for a while before the server can tell of it.
      if (error.status === 503) this.#again(POLL);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    for (const each of this.#subscriptions) each.close();
  }
}
