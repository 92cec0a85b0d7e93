// How numbers, times, durations and values are written, the same everywhere.
import type { Json, Numeric } from "./api/types";

/** Reads a number of the API; what is no number is NaN. */
export function toNumber(value: Numeric | null | undefined): number {
  if (typeof value === "number") return value;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  return NaN;
}

/** Four significant digits, with an exponent only where digits alone would be unreadable. */
export function formatNumber(value: number): string {
  return write(value, trimZeros);
}

/** As formatNumber, but every fraction with all its digits, so that the numbers of a column can be compared at a glance. */
export function formatMetric(value: number): string {
  return write(value, (digits) => digits);
}

/** How far values lie from their middle: two digits say it, more are chance. */
export function formatSpread(value: number): string {
  return write(value, (digits) => digits, 2);
}

function write(value: number, shorten: (digits: string) => string, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e6 && (size >= 1e4 || Number.isInteger(value))) return minus(String(Math.round(value)));
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
    return minus(`${trimZeros(mantissa)}e${exponent.replace("+", "")}`);
  }
  return minus(shorten(size >= 10 ** (digits - 1) ? value.toFixed(Math.max(0, digits - Math.floor(Math.log10(size)) - 1)) : value.toPrecision(digits)));
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

/** A real minus sign: it is as wide as a digit, so columns stay in line. */
function minus(text: string): string {
  return text.replace(/^-/, "−").replace(/e-/, "e−");
}

/** A whole number with thin groups: 12,345. */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A share in percent; what is above 0 is never called 0. */
export function formatShare(share: number): string {
  const percent = Math.round(share * 100);
  return share > 0 && percent < 1 ? "less than 1 %" : `${percent} %`;
}

/** 812 B, 4.2 KB, 1.3 GB: powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, "B"];
  for (const next of ["KB", "MB", "GB", "TB"]) {
    if (size < 999.5) break;
    [size, unit] = [size / 1000, next];
  }
  return `${unit === "B" || size >= 99.5 ? Math.round(size) : trimZeros(size.toPrecision(2))} ${unit}`;
}

/** A short label for an axis: 1.2k, 3M, 0.05, 1e-5. `step` is the distance between ticks. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e12 || size < 1e-4) return minus(trimExponent(value));
  for (const [scale, suffix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (size >= scale) return minus(decimals(value / scale, step / scale) + suffix);
  }
  return minus(decimals(value, step));
}

function decimals(value: number, step: number): string {
  const digits = Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)));
  return value.toFixed(digits);
}

function trimExponent(value: number): string {
  const [mantissa, exponent] = value.toExponential(2).split("e") as [string, string];
  return `${trimZeros(mantissa)}e${exponent.replace("+", "")}`;
}

/** A value of a configuration, on one line. */
export function formatValue(value: Json | undefined): string {
  if (value === undefined) return "";
  if (value === null) return "null";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return JSON.stringify(value);
}

const MICRO = 1e6;

/** 0.4 s, 12 s, 3 m 20 s, 2 h 05 m, 3 d 4 h. */
export function formatDuration(microseconds: number): string {
  const seconds = Math.max(0, microseconds / MICRO);
  if (seconds < 10) return `${trimZeros(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${pad(Math.floor(seconds % 60))} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${pad(minutes % 60)} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** How long ago, in words: just now, 3 min ago, 2 days ago. */
export function formatAgo(at: number, now: number): string {
  const seconds = (now - at) / MICRO;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  return `${plural(Math.floor(hours / 24), "day")} ago`;
}

/** A moment as the reader's clock shows it: 2026-11-21 10:42:07. */
export function formatTime(at: number): string {
  const date = new Date(at / 1000);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** A command as it can be pasted into a shell. */
export function formatCommand(command: string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** A configuration as dotted names: {optimizer: {lr: 1}} is optimizer.lr. Lists stay whole. */
export function flatten(value: { [key: string]: Json }, prefix = ""): Map<string, Json> {
  const out = new Map<string, Json>();
  for (const [key, inner] of Object.entries(value)) {
    const name = prefix + key;
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner) && Object.keys(inner).length > 0) {
      for (const [deep, leaf] of flatten(inner, `${name}.`)) out.set(deep, leaf);
    } else out.set(name, inner);
  }
  return out;
}
