// The metric series that a page shows: which are wanted, reading their history, and appending what arrives live.
import { ApiError, type SeriesWindow, api } from "../api/client";
import type { PointBlock } from "../api/frames";
import type { Window } from "../charts/bus";
import { Series } from "../charts/series";
import type { LiveMessage, SeriesAnswer } from "../api/types";
import { Follow } from "./follow";

const GATHER = 30; // milliseconds in which wishes are gathered into one request
const KEYS_A_REQUEST = 12; // so that the first charts show before the last are read
const BUCKETS = 2000; // of a request that names no number
const WINDOW_BUCKETS = 4000;
const MOST_POINTS = 2_000_000; // points and buckets that the server puts into one answer
const FOLD_ABOVE = 12_000; // entries of a series that grew live, above which it is read anew as buckets
const AGAIN = 2000; // milliseconds after which a series over another metric is read again when points came
const KEEP = 5000; // milliseconds for which that is kept which no chart shows: one may come back at once

type Point = [step: number, time: number, value: number];

/** A metric that charts show, over the steps or over another metric, with what is known of each run. */
class Wish {
  readonly heard = new Set<() => void>();
  readonly series = new Map<string, Series>();
  /** The part that is zoomed into, read more finely. */
  readonly windowed = new Map<string, Series>();
  /** The ended runs that were read whole, with what they had ended as: until that changes, nothing of them does. */
  readonly settled = new Map<string, string>();

  constructor(readonly key: string, readonly x: string | null) {}

  /** Forgets all runs but these. */
  keep(runs: ReadonlySet<string>): void {
    for (const held of [this.series, this.windowed, this.settled]) {
      for (const run of Array.from(held.keys())) if (!runs.has(run)) held.delete(run);
    }
  }
}

/** A wish as one key: names hold no line breaks. */
const wishId = (key: string, x: string | null): string => (x === null ? key : `${key}\n${x}`);

/** What one request reads, with the points of it that arrive meanwhile. */
type Reading = ReadonlyMap<Wish, ReadonlyMap<string, Point[]>>;

export class SeriesStore {
  readonly follow: Follow;
  #runs: readonly string[] = [];
  #wishes = new Map<string, Wish>();
  #readings = new Set<Reading>();
  #window: Window | null = null;
  #windowTimer: number | undefined;
  #names = { runs: new Map<number, string>(), keys: new Map<number, string>() };
  #timer: number | undefined;
  #stale = new Set<Wish>();
  #staleTimer: number | undefined;
  #tidyTimer: number | undefined;

  /**
   * `ended` tells what a run has ended as (`endedAs` of runs.ts); null while it may go on. `system`: the metrics are those of
   * the machine, whose steps are milliseconds since 1970.
   */
  constructor(readonly ended: (run: string) => string | null, readonly system = false) {
    this.follow = new Follow({
      request: () => ({ topic: "points", ...(system ? { system } : {}), runs: this.#runs, keys: [...new Set([...this.#wishes.values()].map(({ key }) => key))] }),
      read: (signal) => this.#read(signal),
      // What ended runs were told or lost meanwhile is not known.
      connected: () => this.#wishes.forEach(({ settled }) => settled.clear()),
      message: (message) => this.#message(message),
      points: (blocks) => this.#points(blocks),
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#windowTimer);
    clearTimeout(this.#staleTimer);
    clearTimeout(this.#tidyTimer);
    this.follow.close();
  }

  /** A metric of a run over its steps, or over another metric. */
  get(run: string, key: string, x: string | null = null): Series | undefined {
    const wish = this.#wishes.get(wishId(key, x));
    return wish?.windowed.get(run) ?? wish?.series.get(run);
  }

  /** Shows a part of the steps as finely as the screen allows: what was folded into buckets is read anew for it. */
  setWindow(window: Window | null): void {
    this.#window = window;
    for (const wish of this.#wishes.values()) wish.windowed.clear();
    clearTimeout(this.#windowTimer);
    if (window) this.#windowTimer = setTimeout(() => void this.#readWindow(window), GATHER);
    this.#tell(this.#wishes.values());
  }

  async #readWindow(window: Window): Promise<void> {
    const margin = (window.to - window.from) / 2; // so that smoothing does not begin at the edge
    const wanted = { from: Math.floor(window.from - margin), to: Math.ceil(window.to + margin), buckets: WINDOW_BUCKETS };
    for (const wish of this.#wishes.values()) {
      if (wish.x !== null) continue;
      const open = new Set(this.#open(wish));
      const runs = this.#runs.filter((run) =>
        wish.series.get(run)?.bucketed && (open.has(run) || !wish.windowed.has(run)));
      if (runs.length === 0) continue;
      try {
        const found = await this.#fetch(runs, [wish], wanted);
        if (this.#window !== window) return;
        for (const { run, series } of found) if (series.length > 0) wish.windowed.set(run, series);
        this.#tell([wish]);
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
    this.#renew();
    this.#tidyLater();
  }

  /** Wants a metric over its steps or over another metric, and hears of its changes until the returned function is called. */
  need(key: string, x: string | null, changed: () => void): () => void {
    const id = wishId(key, x);
    let wish = this.#wishes.get(id);
    if (!wish) {
      this.#wishes.set(id, (wish = new Wish(key, x)));
      this.#renew();
    }
    const { heard } = wish;
    heard.add(changed);
    return () => {
      heard.delete(changed);
      if (heard.size === 0) this.#tidyLater();
    };
  }

  /** Rows of runs changed: what has ended and was read whole is read again where it is no longer as it was. */
  look(): void {
    const wishes = [...this.#wishes.values()];
    const changed = this.#runs.filter((run) => {
      const ended = this.ended(run);
      return wishes.some(({ settled }) => settled.has(run) && settled.get(run) !== ended);
    });
    if (changed.length === 0) return;
    this.#unsettle(changed);
    this.follow.read();
  }

  #unsettle(runs: readonly string[]): void {
    for (const { settled } of this.#wishes.values()) for (const run of runs) settled.delete(run);
  }

  /** The runs of which more may be known to the server than here. */
  #open(wish: Wish): string[] {
    return this.#runs.filter((run) => {
      const ended = this.ended(run);
      return ended === null || wish.settled.get(run) !== ended;
    });
  }

  #renew(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.follow.renew();
    }, GATHER);
  }

  /** Forgets what no chart shows any more. The server hears of it with the next request, since each has all read again. */
  #tidyLater(): void {
    clearTimeout(this.#tidyTimer);
    this.#tidyTimer = setTimeout(() => {
      const runs = new Set(this.#runs);
      for (const [id, wish] of this.#wishes) {
        if (wish.heard.size > 0) wish.keep(runs);
        else {
          this.#wishes.delete(id);
          this.#stale.delete(wish);
        }
      }
    }, KEEP);
  }

  #tell(wishes: Iterable<Wish>): void {
    for (const { heard } of wishes) for (const changed of heard) changed();
  }

  /** Reads what is not there yet and, since a gap may lie behind us, what can still have grown. */
  async #read(signal: AbortSignal): Promise<void> {
    const wanted = [...this.#wishes.values()].map((wish) => ({ wish, runs: this.#open(wish) }))
      .filter(({ runs }) => runs.length > 0);
    // What shows nothing yet comes first.
    wanted.sort((a, b) => Number(this.#has(a)) - Number(this.#has(b)));
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
    if (this.#window) await this.#readWindow(this.#window);
  }

  #has({ wish, runs }: { wish: Wish; runs: readonly string[] }): boolean {
    return runs.every((run) => wish.series.has(run));
  }

  /** Reads wishes of one x axis. */
  async #readWishes(runs: readonly string[], wishes: readonly Wish[], signal?: AbortSignal): Promise<void> {
    const ended = new Map(runs.map((run) => [run, this.ended(run)]));
    const found = await this.#fetch(runs, wishes, {}, signal);
    if (signal?.aborted) return;
    for (const { wish, run, series, meanwhile } of found) {
      wish.series.set(run, series);
      // What changed since the reading began may not be in it.
      const now = this.ended(run);
      if (now !== null && now === ended.get(run) && meanwhile === 0) wish.settled.set(run, now);
      else wish.settled.delete(run);
    }
    this.#tell(wishes);
  }

  /** Reads series of one x axis; the points that arrive meanwhile are in them, and counted. */
  async #fetch(
    runs: readonly string[], wishes: readonly Wish[], wanted: SeriesWindow, signal?: AbortSignal,
  ): Promise<{ wish: Wish; run: string; series: Series; meanwhile: number }[]> {
    const x = wishes[0]?.x ?? null;
    const reading: Reading = new Map(wishes.map((wish) => [wish, new Map(runs.map((run) => [run, []]))]));
    this.#readings.add(reading);
    const all: SeriesAnswer[] = [];
    const keys = wishes.map(({ key }) => key);
    const share = Math.max(1, Math.floor(MOST_POINTS / (keys.length * (wanted.buckets ?? BUCKETS))));
    try {
      for (let i = 0; i < runs.length; i += share) {
        all.push(...(await api.series(runs.slice(i, i + share), keys, { ...wanted, x, system: this.system }, signal)));
      }
    } finally {
      this.#readings.delete(reading);
    }
    const answers = new Map(all.map((each) => [`${each.run}\n${each.key}`, each]));
    return [...reading].flatMap(([wish, points]) => [...points].map(([run, meanwhile]) => {
      const series = new Series(answers.get(`${run}\n${wish.key}`));
      if (x === null) for (const point of meanwhile) series.insert(...point);
      return { wish, run, series, meanwhile: meanwhile.length };
    }));
  }

  #message(message: LiveMessage): void {
    if (message.type === "names") {
      for (const [number, run] of Object.entries(message.runs)) this.#names.runs.set(Number(number), run);
      for (const [number, key] of Object.entries(message.keys)) this.#names.keys.set(Number(number), key);
    } else if (message.type === "changed") {
      this.#unsettle(message.runs);
      this.follow.read();
    }
  }

  #points(blocks: PointBlock[]): void {
    const changed = new Set<Wish>();
    const now = Date.now() * 1000;
    for (const block of blocks) {
      const run = this.#names.runs.get(block.run);
      const key = this.#names.keys.get(block.key);
      if (run === undefined || key === undefined) continue; // of a set that was asked for before this one
      for (const wish of this.#wishes.values()) {
        if (wish.key !== key) continue;
        wish.settled.delete(run);
        const waiting = this.#waiting(wish, run);
        // Over another metric a point's x is that metric's value, which this block does not hold.
        const series = wish.x === null ? wish.series.get(run) : undefined;
        if (wish.x !== null) this.#stale.add(wish);
        for (let i = 0; i < block.values.length; i++) {
          const point: Point = [block.steps[i]!, block.times?.[i] ?? now, block.values[i]!];
          for (const each of waiting) each.push(point);
          series?.insert(...point);
          wish.windowed.get(run)?.insert(...point);
        }
        if (series) changed.add(wish);
        if (series && series.length > FOLD_ABOVE && waiting.length === 0) this.#again([run], wish);
      }
    }
    if (this.#stale.size > 0) this.#staleTimer ??= setTimeout(() => this.#readStale(), AGAIN);
    this.#tell(changed);
  }

  /** Where points of a run go that is being read now. */
  #waiting(wish: Wish, run: string): Point[][] {
    return [...this.#readings].flatMap((reading) => {
      const points = reading.get(wish)?.get(run);
      return points ? [points] : [];
    });
  }

  #readStale(): void {
    this.#staleTimer = undefined;
    const wishes = [...this.#stale];
    this.#stale.clear();
    for (const wish of wishes) {
      const runs = this.#open(wish);
      if (runs.length > 0) this.#again(runs, wish);
    }
  }

  /** Reads again what is on screen already. */
  #again(runs: readonly string[], wish: Wish): void {
    this.#readWishes(runs, [wish]).catch((error: unknown) => {
      console.info(`${wish.key} is kept as it is: ${String(error)}`); // a wish, not a need: the points are all there
    });
  }
}
