// The axes of parallel coordinates: where a trial's value lies on each, and which trials a brush holds.
import type { Json } from "../api/types";
import { formatNumber, formatTick, formatValue } from "../format";
import { linear, logarithmic, ticks } from "./scale";

export interface Axis {
  name: string;
  /** A value's height on the axis: 0 at its lower end, 1 at its upper; null where the trial has no such value. */
  at(value: Json | undefined): number | null;
  ticks: { at: number; label: string }[];
  /** The distance between neighbouring classes, or 0 on an axis of numbers. */
  gap: number;
  /** How the axis is scaled, for its title: "", "log". */
  note: string;
}

const MOST_CLASSES = 8; // numbers of so few kinds stand at equal distances, as a grid's values do
const LOG_FROM = 50; // the ratio of greatest to least above which a positive axis is logarithmic

const key = (value: Json): string => JSON.stringify(value);

/** The axis that fits the values. */
export function axisOf(name: string, values: readonly (Json | undefined)[], distribution = ""): Axis {
  const present = values.filter((value): value is Json => value !== undefined && value !== null);
  const numbers = present.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const kinds = new Map(present.map((value) => [key(value), value]));
  if (numbers.length < present.length || kinds.size <= MOST_CLASSES) return classes(name, [...kinds.values()]);
  return continuous(name, numbers, distribution.includes("log"));
}

function classes(name: string, kinds: Json[]): Axis {
  const allNumbers = kinds.every((kind) => typeof kind === "number");
  const sorted = allNumbers ? [...kinds].sort((a, b) => Number(a) - Number(b)) : kinds;
  const places = new Map(sorted.map((kind, i) => [key(kind), sorted.length === 1 ? 0.5 : i / (sorted.length - 1)]));
  const label = (kind: Json) => (typeof kind === "number" ? formatNumber(kind) : formatValue(kind));
  // Many classes without room for each label: the first, the last and some between.
  const stride = Math.ceil(sorted.length / 12);
  return {
    name,
    note: "",
    gap: sorted.length < 2 ? 0.5 : 1 / (sorted.length - 1),
    at: (value) => (value === undefined || value === null ? null : places.get(key(value)) ?? null),
    ticks: sorted.flatMap((kind, i) => (i % stride === 0 ? [{ at: places.get(key(kind))!, label: label(kind) }] : [])),
  };
}

/** An axis of numbers: logarithmic when it is asked for or when the values span decades. */
export function continuous(name: string, numbers: readonly number[], preferLog = false): Axis {
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const log = low > 0 && high > low && (preferLog || high / low >= LOG_FROM);
  const scale = log ? logarithmic([low, high], [0, 1]) : linear([low, high], [0, 1]);
  const marks = ticks(scale, 5).map(({ value, label }) => ({ at: scale.at(value), label }));
  return {
    name,
    note: log ? "log" : "",
    gap: 0,
    at: (value) => {
      if (typeof value !== "number" || !Number.isFinite(value) || (log && value <= 0)) return null;
      return scale.at(value);
    },
    ticks: marks.length >= 2 ? marks : [
      { at: scale.at(low), label: formatTick(low, Math.abs(low) || 1) },
      { at: scale.at(high), label: formatTick(high, Math.abs(high) || 1) },
    ],
  };
}

/** Part of an axis, as heights from 0 to 1. */
export interface Brush {
  from: number;
  to: number;
}

/** Whether a trial's heights lie in every brush. */
export function held(heights: readonly (number | null)[], brushes: ReadonlyMap<number, Brush>): boolean {
  for (const [axis, { from, to }] of brushes) {
    const height = heights[axis];
    if (height === null || height === undefined || height < from || height > to) return false;
  }
  return true;
}
