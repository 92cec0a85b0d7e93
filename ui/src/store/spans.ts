// Spans of time as people write them.

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of `90`, `90s`, `15m`, `1h30m`, `1.5d`; null for nothing: no limit. Undefined: it is no span. */
export function readSpan(text: string): number | null | undefined {
  const whole = text.trim().toLowerCase().replaceAll(/\s+/g, "").replaceAll(",", ".");
  if (whole === "") return null;
  if (/^\d+(\.\d+)?$/.test(whole)) return Number(whole) > 0 ? Number(whole) : undefined;
  if (!/^(\d+(\.\d+)?[smhdw])+$/.test(whole)) return undefined;
  let seconds = 0;
  for (const [, number, unit] of whole.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)) seconds += Number(number) * UNITS[unit!]!;
  return seconds > 0 ? seconds : undefined;
}
