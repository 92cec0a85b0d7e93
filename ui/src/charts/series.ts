// One metric of one run as columns of numbers that grow: what the charts draw from.
import type { SeriesAnswer } from "../api/types";
import { toNumber } from "../format";

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

const columnOf = (values: readonly (number | string | null)[] | undefined, count: number): Column => {
  const cells = new Float64Array(count);
  for (let i = 0; i < count; i++) cells[i] = toNumber(values?.[i] as never);
  return new Column(cells);
};

/**
 * Entries in the order of their steps. An entry is a point, or a bucket of neighbouring points that keeps their first,
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
  #first: Column | null;
  #low: Column | null;
  #high: Column | null;
  #mean: Column | null;
  #count: Column | null;
  #gaps: number[];

  constructor(answer?: SeriesAnswer) {
    const count = answer?.steps.length ?? 0;
    this.length = count;
    this.#step = columnOf(answer?.steps, count);
    this.#time = columnOf(answer?.times, count);
    this.bucketed = answer?.kind === "buckets";
    this.#gaps = [];
    if (answer && this.bucketed) {
      this.#last = columnOf(answer.last, count);
      this.#first = columnOf(answer.first, count);
      this.#low = columnOf(answer.min, count);
      this.#high = columnOf(answer.max, count);
      this.#mean = columnOf(answer.mean, count);
      this.#count = columnOf(answer.counts, count);
      answer.nan_counts?.forEach((nans, i) => {
        if (nans > 0) this.#gaps.push(answer.steps[i]!);
      });
    } else {
      this.#last = columnOf(answer?.values, count);
      this.#first = this.#low = this.#high = this.#mean = this.#count = null;
      for (let i = 0; i < count; i++) if (!Number.isFinite(this.#last.cells[i]!)) this.#gaps.push(this.step(i));
    }
  }

  step(i: number): number { return this.#step.cells[i]!; }
  /** Microseconds since 1970. */
  time(i: number): number { return this.#time.cells[i]!; }
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
