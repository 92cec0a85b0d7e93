// Typed values as they are logged: histograms, tables, media, vectors (docs/api.md, Points).
import { toNumber } from "../format";
import type { Json, Numeric } from "./types";

/** A thing whose bytes lie in the server's store of blobs. */
export interface BlobRef {
  /** The SHA-256 of the bytes, in hexadecimal. */
  blob: string;
  size: number;
  mediaType: string;
  name: string | null;
  caption: string | null;
  width: number | null;
  height: number | null;
  /** Seconds. */
  duration: number | null;
}

export type FileKind = "image" | "audio" | "video" | "html" | "file";

export type Typed =
  /** `edges` has one more than `counts`. */
  | { kind: "histogram"; edges: number[]; counts: number[]; caption: string | null }
  /** `rows` is null when they lie in `blob`; `count` is how many there are. */
  | { kind: "table"; columns: string[]; rows: Json[][] | null; blob: BlobRef | null; count: number; caption: string | null }
  | { kind: FileKind; files: BlobRef[] }
  | { kind: "vector"; values: number[] }
  /** Rows of equal length. */
  | { kind: "matrix"; rows: number[][] };

export type Kind = Typed["kind"];

const FILES: ReadonlySet<string> = new Set(["image", "audio", "video", "html", "file"]);

type Fields = { [key: string]: Json };

const isObject = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: Json | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);
const amount = (value: Json | undefined): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

export const isNumeric = (value: Json | undefined): value is Numeric =>
  typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity";

/** The numbers of a list that holds nothing else. */
function numbers(value: Json | undefined): number[] | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isNumeric)) return null;
  return (value as Numeric[]).map(toNumber);
}

function reference(fields: Fields): BlobRef | null {
  const blob = text(fields["blob"]);
  if (blob === null || !/^[0-9a-f]{64}$/.test(blob)) return null;
  return {
    blob, size: amount(fields["size"]) ?? 0, mediaType: text(fields["media_type"]) ?? "application/octet-stream",
    name: text(fields["name"]), caption: text(fields["caption"]), width: amount(fields["width"]),
    height: amount(fields["height"]), duration: amount(fields["duration_s"]),
  };
}

function table(fields: Fields): Typed | null {
  const { columns, rows } = fields;
  if (!Array.isArray(columns)) return null;
  const caption = text(fields["caption"]);
  const names = columns.map((name) => (typeof name === "string" ? name : JSON.stringify(name)));
  if (Array.isArray(rows)) {
    const held = rows.filter(Array.isArray) as Json[][];
    return { kind: "table", columns: names, rows: held, blob: null, count: held.length, caption };
  }
  const blob = reference(fields);
  return blob === null ? null : { kind: "table", columns: names, rows: null, blob, count: amount(rows) ?? 0, caption };
}

function histogram(fields: Fields): Typed | null {
  const edges = numbers(fields["edges"]);
  const counts = numbers(fields["counts"]);
  return edges && counts && edges.length === counts.length + 1 
    ? { kind: "histogram", edges, counts, caption: text(fields["caption"]) } : null;
}

/** Reads what was logged; null for a plain value: a string, a truth value, an object without a known type. */
export function typedOf(value: Json | undefined): Typed | null {
  if (isObject(value)) {
    const type = value["_type"];
    if (type === "histogram") return histogram(value);
    if (type === "table") return table(value);
    if (typeof type !== "string" || !FILES.has(type)) return null;
    const file = reference(value);
    return file === null ? null : { kind: type as FileKind, files: [file] };
  }
  if (!Array.isArray(value) || value.length === 0) return null;
  const vector = numbers(value);
  if (vector) return { kind: "vector", values: vector };
  const rows = value.map(numbers);
  if (rows.every((row): row is number[] => row !== null && row.length === rows[0]!.length)) return { kind: "matrix", rows };
  return several(value);
}

/** A list of things of one kind is shown as one: a grid of images. */
function several(list: readonly Json[]): Typed | null {
  const files: BlobRef[] = [];
  let kind: FileKind | null = null;
  for (const each of list) {
    const typed = isObject(each) ? typedOf(each) : null;
    if (typed === null || !("files" in typed) || (kind !== null && typed.kind !== kind)) return null;
    kind = typed.kind;
    files.push(...typed.files);
  }
  return kind === null ? null : { kind, files };
}

/** A typed value in a few words, for a list of values. */
export function inWords(typed: Typed): string {
  const many = (count: number, one: string, more = `${one}s`) => `${count.toLocaleString("en-US")} ${count === 1 ? one : more}`;
  switch (typed.kind) {
    case "histogram": return `histogram of ${many(typed.counts.length, "bin")}`;
    case "table": return `table of ${many(typed.count, "row")}, ${many(typed.columns.length, "column")}`;
    case "vector": return `vector of ${many(typed.values.length, "number")}`;
    case "matrix": return `matrix of ${typed.rows.length} × ${typed.rows[0]?.length ?? 0}`;
    case "audio": return many(typed.files.length, "recording");
    case "html": return many(typed.files.length, "page");
    default: return many(typed.files.length, typed.kind);
  }
}

const LITERAL = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/** Reads JSON in which numbers may be the bare words NaN, Infinity and -Infinity; they become strings. */
export function parseLoose(line: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return JSON.parse(line.replace(LITERAL, (found) => (found.startsWith('"') ? found : `"${found}"`))) as Json;
  }
}
