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

/** The least width of a domain, as a share of its greater end: within less there are hardly any numbers left. */
const NARROWEST = 1e-12;
const MOST_TICKS = 1000; // far more than any axis has room for

/** A domain of some width: one that has none, or next to none, is widened around its value. */
export function widened(low: number, high: number): [number, number] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > NARROWEST * size) return [low, high];
  const room = size > 0 ? size * 0.05 : 0.5;
  return [low - room, high + room];
}

/** The part between two places of an axis in their order, no narrower than it can be drawn: zooming on ends there. */
export function zoomBetween(a: number, b: number): { from: number; to: number } {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const least = 10 * NARROWEST * Math.max(Math.abs(low), Math.abs(high));
  const room = Math.max(0, least - (high - low)) / 2;
  return { from: low - room, to: high + room };
}

/** A linear scale from `domain` to `range`; a domain without width is widened so that nothing is divided by zero. */
export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = widened(...domain);
  const slope = (range[1] - range[0]) / (high - low);
  return {
    domain: [low, high],
    log: false,
    at: (value) => range[0] + (value - low) * slope,
    invert: (pixel) => low + (pixel - range[0]) / slope,
  };
}

/** A logarithmic scale; its domain must be positive, and is widened like a linear one's. */
export function logarithmic(domain: readonly [number, number], range: readonly [number, number]): Scale {
  // Air around the greatest numbers there are may have made them infinite.
  let low = Math.log10(Math.max(domain[0], Number.MIN_VALUE));
  let high = Math.log10(Math.min(domain[1], Number.MAX_VALUE));
  if (!(high - low > NARROWEST * Math.max(1, Math.abs(low), Math.abs(high)))) [low, high] = [low - 0.2, high + 0.2];
  const inner = linear([low, high], range);
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
  const all = multiples(step, low, high).filter((value) => !scale.log || value > 0);
  return all.map((value) => ({ value, label: formatTick(value, step) }));
}

/** The multiples of `step` from `low` to `high`; counted, since adding 1 changes nothing where numbers lie far apart. */
function multiples(step: number, low: number, high: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return count > 0 ? Array.from({ length: Math.min(count, MOST_TICKS) }, (_, k) => (first + k) * step) : [];
}

function decadeTicks(low: number, high: number, count: number): Tick[] {
  // Of the decades that numbers have.
  const first = Math.max(-323, Math.ceil(Math.log10(low) - 1e-9));
  const last = Math.min(308, Math.floor(Math.log10(high) + 1e-9));
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
  const step = steps.find((candidate) => span / candidate <= count) ?? Math.ceil(span / count / 86400) * 86400;
  return multiples(step, low, high).map((value) => ({ value, label: clockLabel(value, step) }));
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
