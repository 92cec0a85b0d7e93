// The metric series that a page shows: which are wanted, reading their history, and appending what arrives live.
import { ApiError, api } from "../api/client";
import type { PointBlock } from "../api/frames";
import type { Window } from "../charts/bus";
import { Series } from "../charts/series";
import type { LiveMessage, SeriesAnswer } from "../api/types";
import { Follow } from "./follow";

const GATHER = 30; // milliseconds in which wishes are gathered into one request
const KEYS_A_REQUEST = 12; // so that the first charts show before the last are read
const WINDOW_BUCKETS = 4000;
const FOLD_ABOVE = 12_000; // entries of a series that grew live, above which it is read anew as buckets

const AGAIN = 2000; // milliseconds after which a series over another metric is read again when points came

type Point = [step: number, time: number, value: number];

/** A metric that is shown, and the metric that is its x axis (null: the step). */
interface Wish {
  key: string;
  x: string | null;
}

/** A wish as one key: names hold no line breaks. */
const wishId = ({ key, x }: Wish): string => (x === null ? key : `${key}\n${x}`);

/** A run and a wish as one key. */
const pair = (run: string, wish: Wish): string => `${run}\n${wishId(wish)}`;

export class SeriesStore {
  readonly follow: Follow;
  #runs: readonly string[] = [];
  #wishes = new Map<string, Wish>();
  #series = new Map<string, Series>();
  /** What is being read, with the points that arrived meanwhile. */
  #reading = new Map<string, Point[]>();
  /** What of ended runs was read whole: nothing of it changes any more. */
  #settled = new Set<string>();
  #window: Window | null = null;
  #windowed = new Map<string, Series>();
  #windowTimer: number | undefined;
  #names = { runs: new Map<number, string>(), keys: new Map<number, string>() };
  #listeners = new Map<string, Set<() => void>>();
  #timer: number | undefined;
  #stale = new Set<string>();
  #staleTimer: number | undefined;

  /** `ended` tells whether a run has ended. */
  constructor(readonly ended: (run: string) => boolean) {
    this.follow = new Follow({
      request: () => ({ topic: "points", runs: this.#runs, keys: [...new Set([...this.#wishes.values()].map(({ key }) => key))] }),
      read: (signal) => this.#read(signal),
      message: (message) => this.#message(message),
      points: (blocks) => this.#points(blocks),
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#windowTimer);
    clearTimeout(this.#staleTimer);
    this.follow.close();
  }

  /** A metric of a run over its steps, or over another metric. */
  get(run: string, key: string, x: string | null = null): Series | undefined {
    const name = pair(run, { key, x });
    return this.#windowed.get(name) ?? this.#series.get(name);
  }

  /** Shows a part of the steps as finely as the screen allows: what was folded into buckets is read anew for it. */
  setWindow(window: Window | null): void {
    this.#window = window;
    this.#windowed.clear();
    clearTimeout(this.#windowTimer);
    if (window) this.#windowTimer = setTimeout(() => void this.#readWindow(window), GATHER);
    this.#tell(this.#wishes.keys());
  }

  async #readWindow(window: Window): Promise<void> {
    const margin = (window.to - window.from) / 2; // so that smoothing does not begin at the edge
    const wanted = { from: Math.floor(window.from - margin), to: Math.ceil(window.to + margin), buckets: WINDOW_BUCKETS };
    for (const wish of this.#wishes.values()) {
      if (wish.x !== null) continue;
      const runs = this.#runs.filter((run) => this.#series.get(pair(run, wish))?.bucketed);
      if (runs.length === 0) continue;
      try {
        const answers = await api.series(runs, [wish.key], wanted);
        if (this.#window !== window) return;
        for (const answer of answers) this.#windowed.set(pair(answer.run, wish), new Series(answer));
        this.#tell([wishId(wish)]);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.follow.error.set(error); // the buckets stay on screen, true but coarse
        return;
      }
    }
  }

  /** Shows these runs from now on. */
  setRuns(runs: readonly string[]): void {
    if (runs.length === this.#runs.length && runs.every((run, i) => run === this.#runs[i])) return;
    this.#runs = runs;
    this.#wish();
  }

  /** Wants a metric over its steps or over another metric, and hears of its changes until the returned function is called. */
  need(key: string, x: string | null, changed: () => void): () => void {
    const id = wishId({ key, x });
    const heard = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, heard.add(changed));
    if (!this.#wishes.has(id)) {
      this.#wishes.set(id, { key, x });
      this.#wish();
    }
    return () => heard.delete(changed);
  }

  #wish(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.follow.renew();
    }, GATHER);
  }

  #tell(wishes: Iterable<string>): void {
    for (const id of wishes) for (const changed of this.#listeners.get(id) ?? []) changed();
  }

  /** Reads what is not there yet and, since a gap may lie behind us, what can still have grown. */
  async #read(signal: AbortSignal): Promise<void> {
    const wanted = [...this.#wishes.values()].map((wish) => ({
      wish, runs: this.#runs.filter((run) => !this.#settled.has(pair(run, wish))),
    })).filter(({ runs }) => runs.length > 0);
    // What shows nothing yet comes first.
    wanted.sort((a, b) => Number(this.#has(a)) - Number(this.#has(b)));
    this.#reading.clear(); // a reading that was cut off left buffers behind; this one reads all of it again
    for (const { wish, runs } of wanted) for (const run of runs) this.#reading.set(pair(run, wish), []);
    for (let i = 0; i < wanted.length;) {
      const { runs, wish: { x } } = wanted[i]!;
      const same = wanted.slice(i, i + KEYS_A_REQUEST);
      const end = same.findIndex((other) =>
        other.wish.x !== x || other.runs.length !== runs.length || other.runs.some((run, j) => run !== runs[j]));
      const wishes = (end < 0 ? same : same.slice(0, end)).map(({ wish }) => wish);
      await this.#readWishes(runs, wishes, signal);
      if (signal.aborted) return;
      i += wishes.length;
    }
  }

  #has({ wish, runs }: { wish: Wish; runs: readonly string[] }): boolean {
    return runs.every((run) => this.#series.has(pair(run, wish)));
  }

  /** Reads wishes of one x axis. */
  async #readWishes(runs: readonly string[], wishes: readonly Wish[], signal?: AbortSignal): Promise<void> {
    const settled = runs.filter(this.ended);
    const x = wishes[0]?.x ?? null;
    const series = await api.series(runs, wishes.map(({ key }) => key), { x }, signal);
    if (signal?.aborted) return;
    const answers = new Map<string, SeriesAnswer>(series.map((each) => [pair(each.run, { key: each.key, x }), each]));
    for (const wish of wishes) {
      for (const run of runs) {
        const name = pair(run, wish);
        const fresh = new Series(answers.get(name));
        if (x === null) for (const point of this.#reading.get(name) ?? []) fresh.insert(...point);
        this.#reading.delete(name);
        this.#series.set(name, fresh);
        if (settled.includes(run)) this.#settled.add(name);
      }
    }
    this.#tell(wishes.map(wishId));
  }

  #message(message: LiveMessage): void {
    if (message.type === "names") {
      for (const [number, run] of Object.entries(message.runs)) this.#names.runs.set(Number(number), run);
      for (const [number, key] of Object.entries(message.keys)) this.#names.keys.set(Number(number), key);
    } else if (message.type === "changed") {
      for (const run of message.runs) for (const wish of this.#wishes.values()) this.#settled.delete(pair(run, wish));
      this.follow.read();
    }
  }

  #points(blocks: PointBlock[]): void {
    const changed = new Set<string>();
    const now = Date.now() * 1000;
    for (const block of blocks) {
      const run = this.#names.runs.get(block.run);
      const key = this.#names.keys.get(block.key);
      if (run === undefined || key === undefined) continue; // of a set that was asked for before this one
      for (const [id, wish] of this.#wishes) {
        if (wish.key !== key) continue;
        if (wish.x !== null) {
          // A point's x is another metric's value, which this block does not hold.
          this.#stale.add(id);
          continue;
        }
        const name = pair(run, wish);
        const series = this.#series.get(name);
        const waiting = this.#reading.get(name);
        for (let i = 0; i < block.values.length; i++) {
          const point: Point = [block.steps[i]!, block.times?.[i] ?? now, block.values[i]!];
          waiting?.push(point);
          series?.insert(...point);
          this.#windowed.get(name)?.insert(...point);
        }
        if (series) changed.add(id);
        if (series && series.length > FOLD_ABOVE && !waiting) this.#again([run], wish);
      }
    }
    if (this.#stale.size > 0) this.#staleTimer ??= setTimeout(() => this.#readStale(), AGAIN);
    this.#tell(changed);
  }

  #readStale(): void {
    this.#staleTimer = undefined;
    const wishes = [...this.#stale].flatMap((id) => this.#wishes.get(id) ?? []);
    this.#stale.clear();
    for (const wish of wishes) {
      const runs = this.#runs.filter((run) => !this.#settled.has(pair(run, wish)));
      if (runs.length > 0) this.#again(runs, wish);
    }
  }

  /** Reads again what is on screen already. */
  #again(runs: readonly string[], wish: Wish): void {
    for (const run of runs) this.#reading.set(pair(run, wish), []);
    this.#readWishes(runs, [wish]).catch((error: unknown) => {
      for (const run of runs) this.#reading.delete(pair(run, wish));
      console.info(`${wish.key} is kept as it is: ${String(error)}`); // a wish, not a need: the points are all there
    });
  }
}
