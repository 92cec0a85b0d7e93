// One metric of one run as columns of numbers that grow: what the charts draw from.
import type { SeriesAnswer } from "../api/types";

/** A column that doubles its room as it fills. */
class Column {
  cells: Float64Array;
  constructor(cells: Float64Array) {
    this.cells = cells;
  }
  put(index: number, value: number): void {
    if (index >= this.cells.length) {
      const grown = new Float64Array(Math.max(64, this.cells.length * 2));
      grown.set(this.cells);
      this.cells = grown;
    }
    this.cells[index] = value;
  }
}

/** The order that sorts the entries by `xs`, without those that have none; null when they are in it already. */
function orderBy(xs: Float64Array): Uint32Array | null {
  let sorted = true;
  for (let i = 0; i < xs.length && sorted; i++) sorted = Number.isFinite(xs[i]!) && (i === 0 || xs[i - 1]! <= xs[i]!);
  if (sorted) return null;
  const finite = Uint32Array.from(xs.keys()).filter((i) => Number.isFinite(xs[i]!));
  return finite.sort((a, b) => xs[a]! - xs[b]! || a - b);
}

/**
 * Entries in the order of their steps, or of the metric that is their x axis. An entry is a point, or a bucket of neighbouring points that keeps their first,
 * last, least, greatest and mean value. A value that is no number (NaN, ±∞) is a gap.
 */
export class Series {
  length = 0;
  /** Moves with each change, so that what was computed from the series can be kept until then. */
  version = 0;
  /** Whether entries are buckets: a zoom then shows more when it is read anew. */
  readonly bucketed: boolean;
  #step: Column;
  #time: Column;
  #last: Column;
  #x: Column | null;
  #first: Column | null;
  #low: Column | null;
  #high: Column | null;
  #mean: Column | null;
  #count: Column | null;
  #gaps: number[] = [];

  /** Takes the answer's columns over as they are: what is inserted later is written into them. */
  constructor(answer?: SeriesAnswer) {
    const xs = answer?.columns.get("x") ?? null;
    const order = xs === null ? null : orderBy(xs);
    const count = order?.length ?? answer?.n ?? 0;
    const optional = (name: string): Column | null => {
      const cells = answer?.columns.get(name);
      return cells ? new Column(order ? Float64Array.from(order, (i) => cells[i]!) : cells) : null;
    };
    const column = (name: string): Column => optional(name) ?? new Column(new Float64Array(count).fill(NaN));
    this.length = count;
    this.bucketed = answer?.kind === "buckets";
    this.#step = column("steps");
    this.#time = column("times");
    this.#x = optional("x");
    this.#last = column(this.bucketed ? "last" : "values");
    const extra = (name: string) => (this.bucketed ? column(name) : null);
    [this.#first, this.#low, this.#high] = [extra("first"), extra("min"), extra("max")];
    [this.#mean, this.#count] = [extra("mean"), extra("counts")];
    const nans = this.bucketed ? column("nan_counts") : null;
    for (let i = 0; i < count; i++) {
      if (nans ? nans.cells[i]! > 0 : !Number.isFinite(this.last(i))) this.#gaps.push(this.step(i));
    }
  }

  step(i: number): number { return this.#step.cells[i]!; }
  /** Microseconds since 1970. */
  time(i: number): number { return this.#time.cells[i]!; }
  /** The value of the metric that is the x axis; the step where there is none. */
  x(i: number): number { return (this.#x ?? this.#step).cells[i]!; }
  last(i: number): number { return this.#last.cells[i]!; }
  first(i: number): number { return (this.#first ?? this.#last).cells[i]!; }
  low(i: number): number { return (this.#low ?? this.#last).cells[i]!; }
  high(i: number): number { return (this.#high ?? this.#last).cells[i]!; }
  mean(i: number): number { return (this.#mean ?? this.#last).cells[i]!; }
  /** How many points an entry stands for. */
  weight(i: number): number { return this.#count?.cells[i] ?? 1; }
  /** The steps at which something was logged that is no number. */
  get gaps(): readonly number[] { return this.#gaps; }

  /** The first entry whose step is at least `step`. */
  search(step: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step(middle) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds a point. One that is there already changes nothing: history and live feed may overlap. */
  insert(step: number, time: number, value: number): void {
    if (this.length === 0 || step > this.step(this.length - 1)) {
      this.#write(this.length, step, time, value);
      this.length++;
    } else if (this.bucketed) {
      // Inside a bucket's reach: its extremes are what must stay true.
      const i = Math.max(0, Math.min(this.length - 1, this.search(step + 1) - 1));
      if (value < this.low(i)) this.#low!.cells[i] = value;
      if (value > this.high(i)) this.#high!.cells[i] = value;
    } else {
      let i = this.search(step);
      for (; i < this.length && this.step(i) === step; i++) if (Object.is(this.last(i), value)) return;
      for (let j = this.length; j > i; j--) this.#write(j, this.step(j - 1), this.time(j - 1), this.last(j - 1));
      this.#write(i, step, time, value);
      this.length++;
    }
    if (!Number.isFinite(value)) this.#gaps.push(step);
    this.version++;
  }

  #write(i: number, step: number, time: number, value: number): void {
    this.#step.put(i, step);
    this.#time.put(i, time);
    this.#last.put(i, value);
    this.#first?.put(i, value);
    this.#low?.put(i, value);
    this.#high?.put(i, value);
    this.#mean?.put(i, value);
    this.#count?.put(i, 1);
  }
}
