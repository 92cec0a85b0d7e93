// Many series as one: their mean at each place of the x axis, with a band of how they spread.
import { type Abscissa } from "./axis";
import { Series } from "./series";

/** What the band around a mean shows: standard deviation, standard error, 95 % confidence, or the middle half. */
export type SpreadKind = "sd" | "se" | "ci95" | "iqr";

const PLACES = 400; // at which a mean is taken, where the series have more than that

interface Walk {
  xs: Float64Array;
  ys: Float64Array;
}

/** The entries of a series that can be averaged. */
function walk(series: Series, x: Abscissa): Walk {
  const entries: (readonly [number, number])[] = [];
  let ascending = true;
  for (let i = 0; i < series.length; i++) {
    const [at, value] = [x(series, i), series.bucketed ? series.mean(i) : series.last(i)];
    if (!Number.isFinite(at) || !Number.isFinite(value)) continue;
    ascending &&= entries.length === 0 || entries[entries.length - 1]![0] <= at;
    entries.push([at, value]);
  }
  // A metric on the x axis may go down, or up and down: a learning rate does.
  if (!ascending) entries.sort(([a], [b]) => a - b);
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [at, value] of entries) {
    // Of several points at one place the last counts.
    if (xs.length > 0 && xs[xs.length - 1] === at) ys[ys.length - 1] = value;
    else {
      xs.push(at);
      ys.push(value);
    }
  }
  return { xs: Float64Array.from(xs), ys: Float64Array.from(ys) };
}

function places(walks: readonly Walk[]): Float64Array {
  const distinct = new Set<number>();
  let [low, high] = [Infinity, -Infinity];
  for (const { xs } of walks) {
    low = Math.min(low, xs[0]!);
    high = Math.max(high, xs[xs.length - 1]!);
    for (let i = 0; i < xs.length && distinct.size <= PLACES; i++) distinct.add(xs[i]!);
  }
  if (distinct.size <= PLACES) return Float64Array.from(distinct).sort();
  return Float64Array.from({ length: PLACES }, (_, i) => low + ((high - low) * i) / (PLACES - 1));
}

/** Student's t for 95 % by degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2); beyond 30 by Cornish and Fisher. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093,
  2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export function t95(freedom: number): number {
  if (freedom <= T95.length) return T95[freedom - 1] ?? NaN;
  const z = 1.959963985;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom * freedom);
}

/** As NumPy's `percentile`, linear between neighbours. `sorted` holds at least one. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const i = Math.floor(at);
  return sorted[i]! + (at - i) * ((sorted[i + 1] ?? sorted[i]!) - sorted[i]!);
}

/** The middle of values and what they reach by the chosen measure. */
export function middleOf(values: readonly number[], kind: SpreadKind): { middle: number; low: number; high: number } {
  const n = values.length;
  if (kind === "iqr") {
    const sorted = [...values].sort((a, b) => a - b);
    return { middle: percentile(sorted, 0.5), low: percentile(sorted, 0.25), high: percentile(sorted, 0.75) };
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { middle: mean, low: mean, high: mean };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const by = kind === "sd" ? sd : kind === "se" ? sd / Math.sqrt(n) : (t95(n - 1) * sd) / Math.sqrt(n);
  return { middle: mean, low: mean - by, high: mean + by };
}

/**
 * One series of the middles, its least and greatest the band. Between its entries a member goes in a straight line;
 * before its first and after its last entry it is not counted.
 */
export function meanSeries(members: readonly Series[], x: Abscissa, kind: SpreadKind): Series {
  const walks = members.map((member) => walk(member, x)).filter(({ xs }) => xs.length > 0);
  const at = walks.length === 0 ? new Float64Array() : places(walks);
  const cursor = walks.map(() => 0);
  const columns = new Map(["steps", "times", "x", "first", "last", "mean", "min", "max", "counts", "nan_counts"]
    .map((name) => [name, new Float64Array(at.length)]));
  const put = (name: string, i: number, value: number) => (columns.get(name)![i] = value);
  at.forEach((place, i) => {
    const values: number[] = [];
    walks.forEach(({ xs, ys }, w) => {
      if (place < xs[0]! || place > xs[xs.length - 1]!) return;
      let j = cursor[w]!;
      while (j + 1 < xs.length && xs[j + 1]! <= place) j++;
      cursor[w] = j;
      const next = j + 1 < xs.length ? j + 1 : j;
      const share = next === j ? 0 : (place - xs[j]!) / (xs[next]! - xs[j]!);
      values.push(ys[j]! + share * (ys[next]! - ys[j]!));
    });
    const { middle, low, high } = values.length === 0 ? { middle: NaN, low: NaN, high: NaN } : middleOf(values, kind);
    put("steps", i, place);
    put("times", i, place * 1e6);
    put("x", i, place);
    for (const name of ["first", "last", "mean"]) put(name, i, middle);
    put("min", i, low);
    put("max", i, high);
    put("counts", i, 1);
    put("nan_counts", i, values.length === 0 ? 1 : 0);
  });
  return new Series({ run: "", key: "", count: at.length, kind: "buckets", n: at.length, columns });
}

/** The mean series of lines, made anew only when one of their members changed. */
export class Means {
  #held = new Map<string, { stamp: string; members: readonly Series[]; series: Series }>();

  get(line: string, members: readonly Series[], x: Abscissa, kind: SpreadKind): Series {
    const stamp = [kind, ...members.map(({ version }) => version)].join();
    const held = this.#held.get(line);
    if (held && held.stamp === stamp && held.members.length === members.length && held.members.every((each, i) => each === members[i])) {
      return held.series;
    }
    const series = meanSeries(members, x, kind);
    this.#held.set(line, { stamp, members, series });
    return series;
  }
}
