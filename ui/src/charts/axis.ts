// The x axes of line charts: what lies on them, and how their values are written.
import { formatCount, formatDuration, formatNumber, formatTime } from "../format";
import { type Scale, type Tick, clockTicks, ticks, timeTicks } from "./scale";
import type { Series } from "./series";

/** `step`, `relative` (seconds since the series began), `time` (the clock's), `index`, or `metric:` and a name. */
export type Axis = "step" | "relative" | "time" | "index" | `metric:${string}`;

/** An entry's place on the x axis. */
export type Abscissa = (series: Series, i: number) => number;

export const byStep: Abscissa = (series, i) => series.step(i);

/** Seconds since the series began. */
export const byTime: Abscissa = (series, i) => (series.time(i) - series.time(0)) / 1e6;

/** Seconds since 1970. */
const byClock: Abscissa = (series, i) => series.time(i) / 1e6;

const byMetric: Abscissa = (series, i) => series.x(i);

/** The metric that is the axis, if one is. */
export function axisMetric(axis: string): string | null {
  return axis.startsWith("metric:") ? axis.slice(7) : null;
}

export function abscissaOf(axis: Axis): Abscissa {
  switch (axis) {
    case "step":
    case "index": return byStep;
    case "relative": return byTime;
    case "time": return byClock;
    default: return byMetric;
  }
}

export function axisTicks(axis: Axis | "number", scale: Scale, count: number): Tick[] {
  switch (axis) {
    case "step":
    case "index": return ticks(scale, count, true);
    case "relative": return timeTicks(scale, count);
    case "time": return clockTicks(scale, count);
    default: return ticks(scale, count);
  }
}

/** Where the cursor stands, in words. */
export function placeOn(axis: Axis, x: number): string {
  switch (axis) {
    case "step": return `step ${formatCount(Math.round(x))}`;
    case "index": return `index ${formatCount(Math.round(x))}`;
    case "relative": return `after ${formatDuration(x * 1e6)}`;
    case "time": return formatTime(x * 1e6);
    default: return `${axisMetric(axis)} ${formatNumber(x)}`;
  }
}
