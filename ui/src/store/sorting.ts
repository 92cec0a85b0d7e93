// The order of a table of runs: how the address says it, and how the server is asked for it.
import { type Aggregate } from "./metrics";

export interface Sort {
  /** "name", "state", or a column's id. */
  by: string;
  descending: boolean;
}

/** Reads a sort from the address: `-metric:val/loss`. */
export function parseSort(text: string | null): Sort {
  if (!text) return { by: "field:created", descending: true };
  return text.startsWith("-") ? { by: text.slice(1), descending: true } : { by: text, descending: false };
}

export function printSort({ by, descending }: Sort): string {
  return (descending ? "-" : "") + by;
}

/** The fields of the filter language that are a run's own: a configuration name like one of them needs its prefix. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  "state", "name", "id", "project", "group", "job", "tag", "user", "host", "created", "started", "ended", "duration", "sweep", "flow",
  "device",
]);

const PLAIN = /^[A-Za-z_][\w./-]*$/;
const WORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "exists", "true", "false", "null", "nan", "inf"]);

/** A name as the filter language reads it: in back-quotes where it holds more than letters, digits, dots and slashes. */
export function quoted(name: string): string {
  return PLAIN.test(name) && !WORDS.has(name.toLowerCase()) ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** A configuration name as the filter language reads it. */
export function configField(name: string): string {
  return ATTRIBUTES.has(name) || name.startsWith("config.") ? quoted(`config.${name}`) : quoted(name);
}

/** The server's `sort` for an order of the table. */
export function serverSort({ by, descending }: Sort, aggregate: Aggregate): string {
  const sign = descending ? "-" : "";
  if (by.startsWith("metric:")) return `${sign}${by}.${aggregate}`;
  if (by.startsWith("config:")) return `${sign}config.${by.slice(7)}`;
  if (by.startsWith("field:")) return `${sign}${by.slice(6)}`;
  return sign + by;
}
