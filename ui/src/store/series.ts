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

type Point = [step: number, time: number, value: number];

/** A run and a metric as one key. */
const pair = (run: string, key: string): string => `${run}\n${key}`;

export class SeriesStore {
  readonly follow: Follow;
  #runs: readonly string[] = [];
  #keys = new Set<string>();
  #series = new Map<string, Series>();
  /** Pairs being read, with the points that arrived meanwhile. */
  #reading = new Map<string, Point[]>();
  /** Pairs of ended runs that were read whole: nothing of them changes any more. */
  #settled = new Set<string>();
  #window: Window | null = null;
  #windowed = new Map<string, Series>();
  #windowTimer: number | undefined;
  #names = { runs: new Map<number, string>(), keys: new Map<number, string>() };
  #listeners = new Map<string, Set<() => void>>();
  #timer: number | undefined;

  /** `ended` tells whether a run has ended. */
  constructor(readonly ended: (run: string) => boolean) {
    this.follow = new Follow({
      request: () => ({ topic: "points", runs: this.#runs, keys: [...this.#keys] }),
      read: (signal) => this.#read(signal),
      message: (message) => this.#message(message),
      points: (blocks) => this.#points(blocks),
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#windowTimer);
    this.follow.close();
  }

  get(run: string, key: string): Series | undefined {
    const name = pair(run, key);
    return this.#windowed.get(name) ?? this.#series.get(name);
  }

  /** Shows a part of the steps as finely as the screen allows: what was folded into buckets is read anew for it. */
  setWindow(window: Window | null): void {
    this.#window = window;
    this.#windowed.clear();
    clearTimeout(this.#windowTimer);
    if (window) this.#windowTimer = setTimeout(() => void this.#readWindow(window), GATHER);
    this.#tell(this.#keys);
  }

  async #readWindow(window: Window): Promise<void> {
    const margin = (window.to - window.from) / 2; // so that smoothing does not begin at the edge
    const steps = { from: Math.floor(window.from - margin), to: Math.ceil(window.to + margin) };
    for (const key of this.#keys) {
      const runs = this.#runs.filter((run) => this.#series.get(pair(run, key))?.bucketed);
      if (runs.length === 0) continue;
      try {
        const { series } = await api.series(runs, [key], steps, WINDOW_BUCKETS);
        if (this.#window !== window) return;
        for (const answer of series) this.#windowed.set(pair(answer.run, key), new Series(answer));
        this.#tell([key]);
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

  /** Wants a metric, and hears of its changes until the returned function is called. */
  need(key: string, changed: () => void): () => void {
    const heard = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, heard.add(changed));
    if (!this.#keys.has(key)) {
      this.#keys.add(key);
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

  #tell(keys: Iterable<string>): void {
    for (const key of keys) for (const changed of this.#listeners.get(key) ?? []) changed();
  }

  /** Reads what is not there yet and, since a gap may lie behind us, what can still have grown. */
  async #read(signal: AbortSignal): Promise<void> {
    const wanted = [...this.#keys].map((key) => ({
      key, runs: this.#runs.filter((run) => !this.#settled.has(pair(run, key))),
    })).filter(({ runs }) => runs.length > 0);
    // What shows nothing yet comes first.
    wanted.sort((a, b) => Number(this.#has(a)) - Number(this.#has(b)));
    this.#reading.clear(); // a reading that was cut off left buffers behind; this one reads all of it again
    for (const { key, runs } of wanted) for (const run of runs) this.#reading.set(pair(run, key), []);
    for (let i = 0; i < wanted.length;) {
      const runs = wanted[i]!.runs;
      const same = wanted.slice(i, i + KEYS_A_REQUEST);
      const end = same.findIndex((other) => other.runs.length !== runs.length || other.runs.some((r, j) => r !== runs[j]));
      const keys = (end < 0 ? same : same.slice(0, end)).map(({ key }) => key);
      await this.#readKeys(runs, keys, signal);
      if (signal.aborted) return;
      i += keys.length;
    }
  }

  #has({ key, runs }: { key: string; runs: readonly string[] }): boolean {
    return runs.every((run) => this.#series.has(pair(run, key)));
  }

  async #readKeys(runs: readonly string[], keys: string[], signal?: AbortSignal): Promise<void> {
    const settled = runs.filter(this.ended);
    const { series } = await api.series([...runs], keys);
    if (signal?.aborted) return;
    const answers = new Map<string, SeriesAnswer>(series.map((each) => [pair(each.run, each.key), each]));
    for (const key of keys) {
      for (const run of runs) {
        const name = pair(run, key);
        const fresh = new Series(answers.get(name));
        for (const point of this.#reading.get(name) ?? []) fresh.insert(...point);
        this.#reading.delete(name);
        this.#series.set(name, fresh);
        if (settled.includes(run)) this.#settled.add(name);
      }
    }
    this.#tell(keys);
  }

  #message(message: LiveMessage): void {
    if (message.type === "names") {
      for (const [number, run] of Object.entries(message.runs)) this.#names.runs.set(Number(number), run);
      for (const [number, key] of Object.entries(message.keys)) this.#names.keys.set(Number(number), key);
    } else if (message.type === "changed") {
      for (const run of message.runs) for (const key of this.#keys) this.#settled.delete(pair(run, key));
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
      const name = pair(run, key);
      const series = this.#series.get(name);
      const waiting = this.#reading.get(name);
      for (let i = 0; i < block.values.length; i++) {
        const point: Point = [block.steps[i]!, block.times?.[i] ?? now, block.values[i]!];
        waiting?.push(point);
        series?.insert(...point);
        this.#windowed.get(name)?.insert(...point);
      }
      if (series) changed.add(key);
      if (series && series.length > FOLD_ABOVE && !waiting) this.#fold(run, key);
    }
    this.#tell(changed);
  }

  #fold(run: string, key: string): void {
    this.#reading.set(pair(run, key), []);
    this.#readKeys([run], [key]).catch((error: unknown) => {
      this.#reading.delete(pair(run, key));
      console.info(`${key} is kept as it is: ${String(error)}`); // a wish, not a need: the points are all there
    });
  }
}
