// The axes of parallel coordinates and slices: where a trial's value lies on each, and which trials a brush holds.
import type { Json, Parameter } from "../api/types";
import { formatNumber, formatTick, formatValue, toNumber } from "../format";
import { linear, logarithmic, ticks } from "./scale";

export interface Axis {
  name: string;
  /** A value's height on the axis: 0 at its lower end, 1 at its upper; null where the trial has no such value. */
  at(value: Json | undefined): number | null;
  /** What stands at a height, in words. */
  words(height: number): string;
  /** A height as a number that keeps its meaning when the axis grows or is scaled otherwise, and back. */
  unit(height: number): number;
  height(unit: number): number;
  ticks: { at: number; label: string }[];
  /** The distance between neighbouring classes, or 0 on an axis of numbers. */
  gap: number;
  /** How the axis is scaled, for its title: "", "log", "rank". */
  note: string;
  /** Whether it could be logarithmic: all its numbers are above 0. */
  positive: boolean;
}

/** How an axis of numbers is divided; null: as the definition or the numbers suggest. */
export type AxisScale = "linear" | "log" | "rank" | null;

const MOST_CLASSES = 8; // numbers of so few kinds stand at equal distances, as a grid's values do
const LOG_FROM = 50; // the ratio of greatest to least above which a positive axis is logarithmic

const key = (value: Json): string => JSON.stringify(value);
const isNumber = (value: Json | undefined): value is number => typeof value === "number" && Number.isFinite(value);

/** The axis that fits the values. */
export function axisOf(name: string, values: readonly (Json | undefined)[], distribution = "", scale: AxisScale = null): Axis {
  const present = values.filter((value): value is Json => value !== undefined && value !== null);
  const numbers = present.filter(isNumber);
  const kinds = new Map(present.map((value) => [key(value), value]));
  if (numbers.length < present.length || (scale === null && kinds.size <= MOST_CLASSES)) return classes(name, [...kinds.values()]);
  return scaled(name, numbers, scale, distribution.includes("log"));
}

/** The axis of a parameter as its sweep defines it, so that it does not move while trials come. */
export function parameterAxis(parameter: Parameter, values: readonly (Json | undefined)[], scale: AxisScale = null): Axis {
  const { name, distribution = "" } = parameter;
  const numbers = values.filter(isNumber);
  const declared = parameter.values ?? [];
  if (declared.length > 0) {
    const all = declared.every(isNumber);
    // What was tried and is not listed any more has its place, too: a sweep's file can change.
    const kinds = new Map([...declared, ...values.filter((value): value is Json => value != null)].map((value) => [key(value), value]));
    if (!all || (scale === null && declared.length <= MOST_CLASSES)) return classes(name, [...kinds.values()], !all);
    return scaled(name, [...declared.filter(isNumber), ...numbers], scale, distribution.includes("log"));
  }
  const range = declaredRange(parameter);
  if (range === null) return axisOf(name, values, distribution, scale);
  if (scale === "rank" && numbers.length > 0) return ranked(name, numbers);
  return scaled(name, [...range, ...numbers], scale, distribution.includes("log"));
}

/** The ends of a parameter's range in its values; null: it has none. */
function declaredRange({ min, max, distribution = "" }: Parameter): [number, number] | null {
  const [low, high] = [toNumber(min), toNumber(max)];
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) return null;
  // These two are defined by the exponents of their ends.
  if (/^(q_)?log_uniform$/.test(distribution)) return [Math.exp(low), Math.exp(high)];
  if (/^(q_)?inv_log_uniform$/.test(distribution)) return [Math.exp(-high), Math.exp(-low)];
  return [low, high];
}

function scaled(name: string, numbers: readonly number[], scale: AxisScale, preferLog: boolean): Axis {
  return scale === "rank" ? ranked(name, numbers) : continuous(name, numbers, preferLog, scale);
}

function classes(name: string, kinds: Json[], inOrder = false): Axis {
  const allNumbers = !inOrder && kinds.every((kind) => typeof kind === "number");
  const sorted = allNumbers ? [...kinds].sort((a, b) => Number(a) - Number(b)) : kinds;
  const places = new Map(sorted.map((kind, i) => [key(kind), sorted.length === 1 ? 0.5 : i / (sorted.length - 1)]));
  const label = (kind: Json) => (typeof kind === "number" ? formatNumber(kind) : formatValue(kind));
  // Many classes without room for each label: the first, the last and some between.
  const stride = Math.ceil(sorted.length / 12);
  return {
    name,
    note: "",
    positive: kinds.every((kind) => isNumber(kind) && kind > 0),
    gap: sorted.length < 2 ? 0.5 : 1 / (sorted.length - 1),
    at: (value) => (value === undefined || value === null ? null : places.get(key(value)) ?? null),
    words: (height) => {
      const kind = sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(height * (sorted.length - 1))))];
      return kind === undefined ? "" : label(kind);
    },
    unit: (height) => height * Math.max(1, sorted.length - 1),
    height: (unit) => unit / Math.max(1, sorted.length - 1),
    ticks: sorted.flatMap((kind, i) => (i % stride === 0 ? [{ at: places.get(key(kind))!, label: label(kind) }] : [])),
  };
}

/** An axis of numbers: logarithmic when it is asked for, or else when the values span decades. */
export function continuous(name: string, numbers: readonly number[], preferLog = false, scaling: AxisScale = null): Axis {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  if (low > high) [low, high] = [0, 1];
  const log = scaling !== "linear" && low > 0 && high > low && (scaling === "log" || preferLog || high / low >= LOG_FROM);
  const scale = log ? logarithmic([low, high], [0, 1]) : linear([low, high], [0, 1]);
  const marks = ticks(scale, 5).map(({ value, label }) => ({ at: scale.at(value), label }));
  return {
    name,
    note: log ? "log" : "",
    positive: low > 0,
    gap: 0,
    at: (value) => {
      if (typeof value !== "number" || !Number.isFinite(value) || (log && value <= 0)) return null;
      return scale.at(value);
    },
    words: (height) => formatNumber(scale.invert(height)),
    unit: scale.invert,
    height: scale.at,
    ticks: marks.length >= 2 ? marks : [
      { at: scale.at(low), label: formatTick(low, Math.abs(low) || 1) },
      { at: scale.at(high), label: formatTick(high, Math.abs(high) || 1) },
    ],
  };
}

/** An axis on which the numbers that there are stand at equal distances, whatever lies between them. */
function ranked(name: string, numbers: readonly number[]): Axis {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const places = new Map(sorted.map((value, i) => [value, sorted.length === 1 ? 0.5 : i / (sorted.length - 1)]));
  const nearest = (height: number) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(height * (sorted.length - 1))))];
  const words = (height: number) => formatNumber(nearest(height) ?? NaN);
  const shares = sorted.length < 5 ? [...places.values()] : [0, 0.25, 0.5, 0.75, 1];
  return {
    name, note: "rank", gap: 0, positive: (sorted[0] ?? 0) > 0, words,
    unit: (height) => nearest(height) ?? NaN,
    height: (unit) => {
      const above = sorted.findIndex((value) => value >= unit);
      return above < 0 ? 1 : above / Math.max(1, sorted.length - 1);
    },
    at: (value) => (typeof value === "number" ? places.get(value) ?? null : null),
    ticks: shares.map((share) => {
      const value = nearest(share) ?? NaN;
      return { at: places.get(value) ?? share, label: formatNumber(value) };
    }),
  };
}

/** Where a value lies in the units of its axis, or in the places of its classes; NaN: nowhere. */
export function placeOn(axis: Axis, value: Json | undefined): number {
  const height = axis.at(value);
  return height === null ? NaN : axis.gap > 0 || typeof value !== "number" ? axis.unit(height) : value;
}

/** An axis as a chart of points has it. */
export function scaleOf(axis: Axis): { log: boolean; domain: readonly [number, number] | null; classes: { value: number; label: string }[] | null } {
  if (axis.gap === 0) return { log: axis.note === "log", domain: [axis.unit(0), axis.unit(1)], classes: null };
  return {
    log: false, domain: null,
    classes: Array.from({ length: Math.round(axis.unit(1)) + 1 }, (_, i) => ({ value: i, label: axis.words(axis.height(i)) })),
  };
}

/** The same axis with its upper end below. */
export function turned(axis: Axis): Axis {
  return {
    ...axis,
    at: (value) => {
      const height = axis.at(value);
      return height === null ? null : 1 - height;
    },
    words: (height) => axis.words(1 - height),
    unit: (height) => axis.unit(1 - height),
    height: (unit) => 1 - axis.height(unit),
    ticks: axis.ticks.map(({ at, label }) => ({ at: 1 - at, label })),
  };
}

/** Part of an axis, as heights from 0 to 1. */
export interface Brush {
  from: number;
  to: number;
}

/** Whether a trial's heights lie in every brush; an axis without a brush holds all. */
export function held<Key extends number | string>(
  heightOn: (axis: Key) => number | null | undefined, brushes: ReadonlyMap<Key, Brush>,
): boolean {
  for (const [axis, { from, to }] of brushes) {
    const height = heightOn(axis);
    if (height === null || height === undefined || !(height >= from && height <= to)) return false;
  }
  return true;
}

const STEP = 0.05; // by which keys move a brush
const FIRST = 0.25; // how much of an axis a key's first brush holds

/** The brush after a key: arrows move it, with Shift its upper end; null: none, undefined: the key means nothing here. */
export function brushAfter(brush: Brush | null, pressed: string, shift: boolean): Brush | null | undefined {
  if (pressed === "Escape" || pressed === "Delete" || pressed === "Backspace") return brush === null ? undefined : null;
  const by = pressed === "ArrowUp" ? STEP : pressed === "ArrowDown" ? -STEP : 0;
  if (by === 0) return undefined;
  if (brush === null) return by > 0 ? { from: 0, to: FIRST } : { from: 1 - FIRST, to: 1 };
  if (shift) return { from: brush.from, to: Math.min(1, Math.max(brush.from + STEP, brush.to + by)) };
  const moved = Math.min(1 - brush.to, Math.max(-brush.from, by));
  return { from: brush.from + moved, to: brush.to + moved };
}

/** The order after an axis has moved to another place. */
export function moved<T>(order: readonly T[], what: T, to: number): T[] {
  const rest = order.filter((each) => each !== what);
  rest.splice(Math.min(rest.length, Math.max(0, to)), 0, what);
  return rest;
}

/** What the reader made of an axis, as it stands in the address. */
export interface AxisChoice {
  id: string;
  scale: AxisScale;
  turned: boolean;
  hidden: boolean;
}

const SCALES: Record<string, AxisScale> = { g: "log", l: "linear", r: "rank" };

/** The axes of an address, in its order; those that it does not name follow as they are. */
export function readAxes(text: string | null, ids: readonly string[]): AxisChoice[] {
  const chosen = new Map<string, AxisChoice>();
  for (const part of (text ?? "").split(",")) {
    const [name = "", marks = ""] = part.split(":");
    let id: string;
    try {
      id = decodeURIComponent(name);
    } catch {
      continue; // made by hand
    }
    if (!ids.includes(id) || chosen.has(id)) continue;
    const scale = [...marks].map((mark) => SCALES[mark]).find((each) => each !== undefined) ?? null;
    chosen.set(id, { id, scale, turned: marks.includes("t"), hidden: marks.includes("h") });
  }
  for (const id of ids) if (!chosen.has(id)) chosen.set(id, { id, scale: null, turned: false, hidden: false });
  return [...chosen.values()];
}

/** For the address; null: nothing was chosen. */
export function writeAxes(choices: readonly AxisChoice[], ids: readonly string[]): string | null {
  const plain = choices.every(({ id, scale, turned, hidden }, i) => id === ids[i] && scale === null && !turned && !hidden);
  if (plain) return null;
  return choices.map(({ id, scale, turned, hidden }) => {
    const mark = Object.keys(SCALES).find((each) => SCALES[each] === scale) ?? "";
    const marks = mark + (turned ? "t" : "") + (hidden ? "h" : "");
    return encodeURIComponent(id) + (marks === "" ? "" : `:${marks}`);
  }).join(",");
}
