// Logged tables: read, sorted, and written as text.
import { isNumeric, parseLoose } from "../api/typed";
import type { Json } from "../api/types";
import { formatValue, toNumber } from "../format";
import { byName } from "./columns";

/** Numbers before words before everything else; what is missing comes last whichever way the rest goes. */
function rank(value: Json | undefined): number {
  if (value === undefined || value === null || value === "NaN" || Number.isNaN(value)) return 3;
  return isNumeric(value) ? 0 : typeof value === "string" || typeof value === "boolean" ? 1 : 2;
}

/** Also of infinities, whose difference is no number. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The rows in the order of a column; equal ones keep theirs. */
export function sortRows(rows: readonly Json[][], column: number, descending: boolean): Json[][] {
  const sign = descending ? -1 : 1;
  const keyed = rows.map((row) => {
    const value = row[column];
    return { row, rank: rank(value), number: isNumeric(value) ? toNumber(value) : 0, text: isNumeric(value) ? "" : formatValue(value) };
  });
  keyed.sort((a, b) => {
    if (a.rank === 3 || b.rank === 3) return a.rank - b.rank;
    return sign * (a.rank - b.rank || compare(a.number, b.number) || byName(a.text, b.text));
  });
  return keyed.map(({ row }) => row);
}

/** A table's bytes: one JSON object `{columns, rows}` (or `data`), or rows as lines of JSON, each a list. */
export function readTable(text: string, columns: readonly string[]): { columns: string[]; rows: Json[][] } {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    const whole = parseLoose(trimmed) as { columns?: Json; rows?: Json; data?: Json };
    const rows = whole.rows ?? whole.data;
    if (Array.isArray(rows)) {
      const names = Array.isArray(whole.columns) ? whole.columns.map((name) => formatValue(name)) : [...columns];
      return { columns: names, rows: rows.filter(Array.isArray) as Json[][] };
    }
  }
  const rows = trimmed === "" ? [] : trimmed.split("\n").map(parseLoose);
  return { columns: [...columns], rows: rows.filter(Array.isArray) as Json[][] };
}

/** A table as CSV (RFC 4180). */
export function toCSV(columns: readonly string[], rows: readonly Json[][]): string {
  const field = (value: Json | undefined): string => {
    const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => columns.map((_, i) => field(row[i])).join(",")).join("\r\n") + "\r\n";
}
