// Scales: from values to pixels and back, and the ticks between.
import { formatTick } from "../format";

export interface Scale {
  readonly domain: readonly [number, number];
  readonly log: boolean;
  /** A value's place in pixels. */
  at(value: number): number;
  /** The value at a place. */
  invert(pixel: number): number;
}

export interface Tick {
  value: number;
  label: string;
}

/** A linear scale from `domain` to `range`; a domain without width is widened so that nothing is divided by zero. */
export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  let [low, high] = domain;
  if (!(high > low)) {
    const room = Math.abs(low) > 0 ? Math.abs(low) * 0.05 : 0.5;
    [low, high] = [low - room, low + room];
  }
  const slope = (range[1] - range[0]) / (high - low);
  return {
    domain: [low, high],
    log: false,
    at: (value) => range[0] + (value - low) * slope,
    invert: (pixel) => low + (pixel - range[0]) / slope,
  };
}

/** A logarithmic scale; its domain must be positive. */
export function logarithmic(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const inner = linear([Math.log10(domain[0]), Math.log10(domain[1])], range);
  return {
    domain: [10 ** inner.domain[0], 10 ** inner.domain[1]],
    log: true,
    at: (value) => inner.at(Math.log10(value)),
    invert: (pixel) => 10 ** inner.invert(pixel),
  };
}

/** The distance 1, 2 or 5 times a power of ten that gives about `count` ticks over `span`. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const unit = raw / power;
  return power * (unit < 1.5 ? 1 : unit < 3.5 ? 2 : unit < 7.5 ? 5 : 10);
}

/** About `count` ticks inside a scale's domain; `whole` keeps them on whole numbers. */
export function ticks(scale: Scale, count: number, whole = false): Tick[] {
  const [low, high] = scale.domain;
  if (scale.log) {
    const decades = Math.log10(high) - Math.log10(low);
    if (decades >= 2) return decadeTicks(low, high, count);
  }
  let step = niceStep(high - low, count);
  if (whole) step = Math.max(1, Math.round(step));
  const out: Tick[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    const value = i * step;
    if (scale.log && value <= 0) continue;
    out.push({ value, label: formatTick(value, step) });
  }
  return out;
}

function decadeTicks(low: number, high: number, count: number): Tick[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, count)));
  const out: Tick[] = [];
  for (let exponent = first; exponent <= last; exponent += stride) {
    const value = 10 ** exponent;
    out.push({ value, label: formatTick(value, value) });
  }
  return out;
}

/** Ticks of a time axis in seconds, on units people count in: 30 s, 5 m, 2 h. */
export function timeTicks(scale: Scale, count: number): Tick[] {
  const [low, high] = scale.domain;
  const span = high - low;
  if (span < 10) return ticks(scale, count).map(({ value, label }) => ({ value, label: `${label} s` }));
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  let step = steps.find((candidate) => span / candidate <= count);
  step ??= Math.ceil(span / count / 86400) * 86400;
  const out: Tick[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    out.push({ value, label: clockLabel(value, step) });
  }
  return out;
}

/** Ticks of the clock's time in seconds since 1970, as the reader's own clock shows it. */
export function clockTicks(scale: Scale, count: number): Tick[] {
  const [low, high] = scale.domain;
  const away = new Date(low * 1000).getTimezoneOffset() * 60; // so that ticks stand at whole hours of this place
  const local = linear([low - away, high - away], [0, 1]);
  const steps = timeTicks(local, count);
  const step = steps.length > 1 ? steps[1]!.value - steps[0]!.value : 1;
  const all = steps.map(({ value }) => ({ value: value + away, label: clockTime(value + away, step) }));
  return all.filter(({ label }, i) => label !== all[i - 1]?.label);
}

function clockTime(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  if (step >= 86400 || (date.getHours() === 0 && date.getMinutes() === 0 && step >= 3600)) {
    return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  }
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return step >= 60 ? minutes : `${minutes}:${two(date.getSeconds())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function clockLabel(seconds: number, step: number): string {
  if (seconds === 0) return "0";
  if (step >= 86400) return `${Math.round(seconds / 86400)} d`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (step >= 3600) return `${hours} h`;
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours}:${String(minutes).padStart(2, "0")}`;
  if (step >= 60) return `${minutes} m`;
  const rest = Math.round(seconds % 60);
  if (minutes === 0) return `${rest} s`;
  return rest === 0 ? `${minutes} m` : `${minutes}:${String(rest).padStart(2, "0")}`;
}
