// Histograms as numbers: read, spread over other bins, and many of them as a heat map over steps.

export interface Histogram {
  /** One more than `counts`, not falling. */
  edges: readonly number[];
  counts: readonly number[];
}

/** How many values a histogram counts, and what can be said of them from their bins. */
export function describe({ edges, counts }: Histogram): { total: number; low: number; high: number; mean: number; median: number } {
  let total = 0;
  let sum = 0;
  let [low, high] = [NaN, NaN];
  counts.forEach((count, i) => {
    if (!(count > 0)) return;
    if (total === 0) low = edges[i]!;
    high = edges[i + 1]!;
    total += count;
    sum += count * (edges[i]! + edges[i + 1]!) / 2;
  });
  return { total, low, high, mean: sum / total, median: quantileOf({ edges, counts }, 0.5) };
}

/** The value below which a share of what is counted lies, taken as even within a bin. */
export function quantileOf({ edges, counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + Math.max(0, count), 0);
  let left = total * share;
  for (let i = 0; i < counts.length; i++) {
    const count = Math.max(0, counts[i]!);
    if (count > 0 && left <= count) return edges[i]! + (edges[i + 1]! - edges[i]!) * (left / count);
    left -= count;
  }
  return NaN;
}

/**
 * Spreads a histogram over `bins` equal bins from `low` to `high`, adding to `into` from `offset` on. A bin that lies
 * across a border is shared by width; nothing of what lies within `low` and `high` is lost.
 */
export function spreadOver(
  { edges, counts }: Histogram, low: number, high: number, bins: number, into: Float64Array, offset: number,
): void {
  const width = (high - low) / bins;
  counts.forEach((count, i) => {
    const [from, to] = [edges[i]!, edges[i + 1]!];
    if (!(count > 0) || !Number.isFinite(from) || !Number.isFinite(to) || to < low || from > high) return;
    const first = Math.min(bins - 1, Math.max(0, Math.floor((from - low) / width)));
    const last = Math.min(bins - 1, Math.max(first, Math.ceil((to - low) / width) - 1));
    if (first === last || !(to > from)) {
      into[offset + first] += count;
      return;
    }
    for (let bin = first; bin <= last; bin++) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      into[offset + bin] += count * Math.max(0, overlap) / (to - from);
    }
  });
}

/** A grid of cells: column by column from the left, each from below. */
export interface Grid {
  /** The borders of the columns, one more than there are columns. */
  xs: readonly number[];
  /** The borders of the rows. */
  ys: readonly number[];
  /** `cells[column * rows + row]`, from 0 (nothing) to 1 (the most). */
  cells: Float64Array;
}

const MOST_COLUMNS = 240;
const ROWS = 56;

/** Borders halfway between neighbours; the outer ones as far away as the inner ones. */
function borders(places: readonly number[]): number[] {
  if (places.length === 1) return [places[0]! - 0.5, places[0]! + 0.5];
  const between = places.slice(1).map((place, i) => (places[i]! + place) / 2);
  const last = places[places.length - 1]!;
  return [2 * places[0]! - between[0]!, ...between, 2 * last - between[between.length - 1]!];
}

/**
 * Histograms over steps as a grid: a column for each step, or for several neighbours where there are too many to see.
 * Each column is scaled by its own greatest bin, so that the form is seen whatever was counted. Null without any values.
 */
export function heatOf(all: readonly { step: number; histogram: Histogram }[], most = MOST_COLUMNS, rows = ROWS): Grid | null {
  let [low, high] = [Infinity, -Infinity];
  for (const { histogram } of all) {
    const range = describe(histogram);
    if (Number.isFinite(range.low)) low = Math.min(low, range.low);
    if (Number.isFinite(range.high)) high = Math.max(high, range.high);
  }
  if (low > high) return null;
  if (low === high) {
    const room = Math.abs(low) * 0.05 || 0.5;
    [low, high] = [low - room, high + room];
  }
  const stride = Math.max(1, Math.ceil(all.length / most));
  const groups = Math.ceil(all.length / stride);
  const cells = new Float64Array(groups * rows);
  const places: number[] = [];
  for (let group = 0; group < groups; group++) {
    const members = all.slice(group * stride, (group + 1) * stride);
    for (const { histogram } of members) spreadOver(histogram, low, high, rows, cells, group * rows);
    places.push((members[0]!.step + members[members.length - 1]!.step) / 2);
    const column = cells.subarray(group * rows, (group + 1) * rows);
    const top = column.reduce((a, b) => Math.max(a, b), 0);
    if (top > 0) for (let i = 0; i < rows; i++) column[i] /= top;
  }
  return { xs: borders(places), ys: Array.from({ length: rows + 1 }, (_, i) => low + ((high - low) * i) / rows), cells };
}

/** A matrix as a grid, to be drawn downwards; scaled from the least to the greatest finite value. */
export function gridOf(matrix: readonly (readonly number[])[]): { grid: Grid; low: number; high: number } {
  const [rows, columns] = [matrix.length, matrix[0]?.length ?? 0];
  let [low, high] = [Infinity, -Infinity];
  for (const row of matrix) {
    for (const value of row) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const cells = new Float64Array(rows * columns);
  for (let x = 0; x < columns; x++) {
    for (let y = 0; y < rows; y++) {
      const value = matrix[y]![x]!;
      cells[x * rows + y] = Number.isFinite(value) ? (high > low ? (value - low) / (high - low) : 0.5) : NaN;
    }
  }
  const count = (length: number) => Array.from({ length: length + 1 }, (_, i) => i);
  return { grid: { xs: count(columns), ys: count(rows), cells }, low, high };
}
