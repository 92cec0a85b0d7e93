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

const PLAIN = /^[A-Za-z_][\w./-]*$/;
const WORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "exists", "true", "false", "null", "nan", "inf"]);

/** A name as the filter language reads it: in back-quotes where it holds more than letters, digits, dots and slashes. */
export function quoted(name: string): string {
  return PLAIN.test(name) && !WORDS.has(name.toLowerCase()) ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** A configuration name as the filter language reads it, whatever metric or attribute has the same name. */
export const configField = (name: string): string => `config.${PLAIN.test(name) ? name : quoted(name)}`;

/** A field as people read it. */
export const fieldTitle = (field: string): string => field.replace(/^config\./, "").replace(/^`(.*)`$/, "$1");

/** The server's `sort` for an order of the table. */
export function serverSort({ by, descending }: Sort, aggregate: Aggregate): string {
  const sign = descending ? "-" : "";
  if (by.startsWith("metric:")) return `${sign}${by}.${aggregate}`;
  if (by.startsWith("config:")) return sign + configField(by.slice(7));
  if (by.startsWith("field:")) return `${sign}${by.slice(6)}`;
  return sign + by;
}
