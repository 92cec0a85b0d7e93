// HTTP calls of what is asked about runs: filters, groups, fields, what they ran on, files, output, system metrics.
import { get, send } from "./client";
import type {
  Alert, Environment, Json, Model, Numeric, Page, Run, RunEvent, RunFile, RunState, SystemMetric,
} from "./types";

const enc = encodeURIComponent;

/** The part of an address after the question mark, without what is null. */
function query(parts: Record<string, string | number | boolean | null | undefined>): string {
  const held = Object.entries(parts).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return held.length === 0 ? "" : `?${held.map(([name, value]) => `${name}=${enc(String(value))}`).join("&")}`;
}

export interface Count {
  total: number;
  states: Partial<Record<RunState, number>>;
}

/** A statistic of a value over a group's runs. */
export interface Spread {
  count: number;
  mean: Numeric | null;
  sd: Numeric | null;
  se: Numeric | null;
  ci95: Numeric | null;
  min: Numeric | null;
  q1: Numeric | null;
  median: Numeric | null;
  q3: Numeric | null;
  max: Numeric | null;
}

export interface Group {
  /** A value for each name that was grouped by; null where runs have none. */
  key: Json[];
  /** The filter that selects its runs, the question's own in it; null: its values are too long for one. */
  filter: string | null;
  count: number;
  states: Partial<Record<RunState, number>>;
  values: Record<string, Spread>;
}

/** What the server says of a filter's text. Offsets are UTF-16, as a browser counts. */
export interface FilterAnswer {
  valid: boolean;
  error: { message: string; hint: string | null; from: number; to: number } | null;
  canonical: string | null;
  clauses: { from: number; to: number; text: string }[];
  completion: Completion | null;
}

export interface Completion {
  from: number;
  to: number;
  items: CompletionItem[];
}

export interface CompletionItem {
  text: string;
  kind: "field" | "value" | "operator" | "word";
  detail?: string | null;
}

export interface Fields {
  config: { name: string; runs: number; values: number; varies: boolean }[];
  metrics: { name: string; runs: number; goal: string | null }[];
  derived: { name: string; expression: string }[];
  attributes: string[];
}

export interface Derived {
  name: string;
  expression: string;
  description: string | null;
  goal: "minimize" | "maximize" | null;
  created_at?: number;
  created_by?: string | null;
  /** What is to be known of it, in the answer to its definition. */
  notes?: string[];
}

export interface LogLine {
  /** From 0; people count from 1. */
  n: number;
  /** Microseconds since 1970; null where it is not known. */
  at: number | null;
  stream: "stdout" | "stderr";
  text: string;
}

export interface LogLinesAnswer {
  attempt: number;
  /** How many attempts, or clients of a run from outside, have output: their numbers begin with 1. */
  attempts: number;
  total: number;
  ended: boolean;
  /** Lines before this one do not change any more. */
  settled: number;
  items: LogLine[];
}

export interface LogMatch extends LogLine {
  ranges: [number, number][];
}

export interface LogMatches {
  count: number;
  /** Whether all of the output was searched. */
  complete: boolean;
  items: LogMatch[];
  /** After which line to go on. */
  next: number | null;
}

export type LogStream = "stdout" | "stderr" | "all";

/** Which runs, in which order. `archived`: those alone. */
export interface RunsQuestion {
  q: string;
  sort: string;
  archived: boolean;
}

/** A page of runs: of all, of those nested in `parent`, or with `roots` without those that are nested in another of the list. */
interface RunsAsked extends Omit<RunsQuestion, "archived"> {
  archived: boolean | "any";
  parent?: string;
  roots?: boolean;
}

export interface RunChanges {
  name?: string;
  notes?: string | null;
  archived?: boolean;
  locked?: boolean;
  project?: string;
  add_tags?: string[];
  remove_tags?: string[];
  environment?: Environment;
}

const runPath = (run: string, rest = "") => `/runs/${enc(run)}${rest}`;

export const tracking = {
  runs: (project: string | null, asked: RunsAsked, limit: number, cursor: string | null, signal?: AbortSignal) =>
    get<Page<Run>>(`/runs${query({
      project, q: asked.q, parent: asked.parent, roots: asked.roots || null, sort: asked.sort, archived: asked.archived || null, limit, cursor,
    })}`, signal),
  count: (project: string, asked: { q: string; archived?: boolean }, signal?: AbortSignal) =>
    get<Count>(`/runs/count${query({ project, q: asked.q, archived: asked.archived ? "true" : null })}`, signal),
  groups: (
    project: string, asked: { q: string; by: readonly string[]; values: readonly string[]; sort: string | null; archived: boolean; limit: number; cursor: string | null },
    signal?: AbortSignal,
  ) => get<Page<Group>>(`/runs/groups${query({
    project, q: asked.q, by: asked.by.join(","), values: asked.values.join(","), sort: asked.sort, archived: asked.archived ? "true" : null,
    limit: asked.limit, cursor: asked.cursor,
  })}`, signal),
  filter: (project: string, q: string, at: number, signal?: AbortSignal) =>
    get<FilterAnswer>(`/filter?project=${enc(project)}&q=${enc(q)}&at=${at}`, signal),
  fields: (project: string, search: string, limit: number, signal?: AbortSignal) =>
    get<Fields>(`/fields${query({ project, search, limit })}`, signal),
  change: (run: string, changes: RunChanges) => send<Run>("PATCH", runPath(run), changes),

  derived: (project: string, signal?: AbortSignal) => get<{ items: Derived[] }>(`/projects/${enc(project)}/derived`, signal),
  derive: (project: string, made: { name: string; expression: string; description?: string; goal?: string | null }) =>
    send<Derived>("PUT", `/projects/${enc(project)}/derived`, made),
  underive: (project: string, name: string) => send<unknown>("DELETE", `/projects/${enc(project)}/derived?name=${enc(name)}`),

  events: (run: string, cursor: string | null, signal?: AbortSignal) =>
    get<Page<RunEvent>>(runPath(run, `/events${query({ cursor })}`), signal),
  children: (run: string, signal?: AbortSignal) => get<Page<Run>>(`/runs${query({ parent: run, limit: 200 })}`, signal),
  files: (run: string, signal?: AbortSignal) => get<Page<RunFile>>(runPath(run, "/files?limit=1000"), signal),
  alerts: (run: string, signal?: AbortSignal) => get<{ items: Alert[] }>(runPath(run, "/alerts"), signal),
  recentAlerts: (signal?: AbortSignal) => get<{ items: Alert[] }>("/alerts?limit=50", signal),
  model: (run: string, signal?: AbortSignal) => get<Model>(runPath(run, "/model"), signal),

  system: (run: string, signal?: AbortSignal) =>
    get<{ metrics: SystemMetric[]; from: number | null; to: number | null }>(runPath(run, "/system"), signal),
  lines: (
    run: string, asked: { attempt: number | null; stream: LogStream; from: number; count: number; at?: number | null }, signal?: AbortSignal,
  ) => get<LogLinesAnswer>(runPath(run, `/logs/lines${query({ ...asked })}`), signal),
  search: (
    run: string,
    asked: { text: string; case: boolean; regex: boolean; attempt: number | null; stream: LogStream; after: number | null; limit: number },
    signal?: AbortSignal,
  ) => get<LogMatches>(runPath(run, `/logs/search${query({ ...asked, case: asked.case || null, regex: asked.regex || null })}`), signal),
};

