// Geometry of a line: how the entries of a series become at most a few points per pixel column, losing no extreme.
import type { Abscissa } from "./axis";
import type { Series } from "./series";

/** What lies in one pixel column of a line; `gap` says that something before it was no number. */
export interface PixelColumn {
  x: number;
  first: number;
  last: number;
  low: number;
  high: number;
  /** The sum of what lies in the column, and of how many points: their mean. */
  sum: number;
  count: number;
  /** The smoothed value at the column's end. */
  smooth: number;
  gap: boolean;
}

/**
 * An exponential moving average over points, `weight` in [0, 1): each point moves it by 1 − weight, and the start is
 * corrected for having nothing before it (Kingma and Ba, Adam, section 3). A bucket counts as its points.
 */
export class Smoother {
  #sum = 0;
  #mass = 0;
  constructor(readonly weight: number) {}

  next(value: number, points: number): number {
    const keep = points === 1 ? this.weight : this.weight ** points;
    this.#sum = this.#sum * keep + value * (1 - keep);
    this.#mass = this.#mass * keep + (1 - keep);
    return this.#sum / this.#mass;
  }
}

/**
 * Folds a series into pixel columns. `column` gives the pixel of an x value and `usable` tells which values can be
 * drawn. The average runs over the whole series, so that zooming does not change it; columns outside the window are
 * left out but for the nearest on each side, which carry the line over the edge.
 */
export function columns(
  series: Series,
  x: Abscissa,
  window: readonly [number, number],
  column: (x: number) => number,
  smoothing: number,
  usable: (value: number) => boolean,
): PixelColumn[] {
  const out: PixelColumn[] = [];
  const smoother = new Smoother(smoothing);
  let gap = false;
  let before: PixelColumn | null = null;
  for (let i = 0; i < series.length; i++) {
    const low = series.low(i);
    const high = series.high(i);
    const last = series.last(i);
    if (!usable(low) || !usable(high) || !usable(last)) {
      gap = true;
      continue;
    }
    const at = x(series, i);
    const smooth = smoothing > 0 ? smoother.next(series.mean(i), series.weight(i)) : last;
    const pixel = column(at);
    const first = series.first(i);
    const count = series.weight(i);
    const entry: PixelColumn = {
      x: pixel, first: usable(first) ? first : last, last, low, high, sum: series.mean(i) * count, count, smooth, gap,
    };
    if (at < window[0]) {
      entry.gap = false;
      before = entry;
      gap = false;
      continue;
    }
    if (before !== null) {
      out.push(before);
      before = null;
    }
    if (at > window[1]) {
      out.push(entry);
      break;
    }
    const top = out[out.length - 1];
    if (top !== undefined && !gap && Math.floor(top.x) === Math.floor(pixel)) {
      top.last = last;
      top.smooth = smooth;
      top.sum += entry.sum;
      top.count += count;
      if (low < top.low) top.low = low;
      if (high > top.high) top.high = high;
    } else {
      out.push(entry);
    }
    gap = false;
  }
  if (before !== null) out.push(before);
  return out;
}

/** The value at a share of the sorted sample; the sample is sorted in place. */
export function quantile(sample: number[], share: number): number {
  if (sample.length === 0) return NaN;
  sample.sort((a, b) => a - b);
  return sample[Math.min(sample.length - 1, Math.max(0, Math.round(share * (sample.length - 1))))]!;
}

/** The entry nearest to an x value, or -1 when there is none. Works on any abscissa that does not run backwards. */
export function nearest(series: Series, x: Abscissa, value: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x(series, middle) < value) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low === series.length || value - x(series, low - 1) < x(series, low) - value)) low--;
  return series.length === 0 ? -1 : low;
}

/** The column nearest to a pixel. */
export function columnAt(all: readonly PixelColumn[], px: number): PixelColumn | undefined {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.x < px) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low === all.length || px - all[low - 1]!.x < all[low]!.x - px)) low--;
  return all[low];
}
