// Which columns a table of runs has, what stands in a cell, and how rows are sorted by it.
import type { Json, MetricSummary, Run, ValueSummary } from "../api/types";
import { flatten, formatMetric, formatValue } from "../format";
import { type Aggregate, aggregateOf, definitionOf, splitHidden } from "./metrics";

export type Column =
  | { kind: "config"; name: string }
  | { kind: "metric"; name: string }
  | { kind: "field"; name: FieldName };

export type FieldName =
  | "created" | "started" | "ended" | "duration" | "sweep" | "host" | "user" | "step" | "tags" | "notes" | "group" | "job" | "id";

export const columnId = (column: Column): string => `${column.kind}:${column.name}`;

const flat = new WeakMap<object, Map<string, Json>>();

/** A run's configuration as dotted names, kept as long as the run object is. */
export function configOf(run: Run): Map<string, Json> {
  let known = flat.get(run.config);
  if (!known) flat.set(run.config, (known = flatten(run.config)));
  return known;
}

export function isMetric(entry: MetricSummary | ValueSummary | undefined): entry is MetricSummary {
  return entry !== undefined && "last" in entry;
}

/** The metrics that any of the runs has logged, by name. */
export function metricNames(runs: readonly Run[]): string[] {
  const names = new Set<string>();
  for (const run of runs) for (const [name, entry] of Object.entries(run.summary)) if (isMetric(entry)) names.add(name);
  return [...names].sort(byName);
}

/** The names that hold a text, whatever its case. */
export function named(names: readonly string[], text: string): readonly string[] {
  const needle = text.trim().toLowerCase();
  return needle === "" ? names : names.filter((name) => name.toLowerCase().includes(needle));
}

/** Names in the order people expect: layer2 before layer10. */
export const byName = new Intl.Collator("en", { numeric: true }).compare;

/** All configuration names of the runs, and which of them differ between runs, those first that tell the most runs apart. */
export function configNames(runs: readonly Run[]): { all: string[]; varying: string[] } {
  const seen = new Map<string, { first: string; count: number; varies: boolean }>();
  for (const run of runs) {
    for (const [name, value] of configOf(run)) {
      const text = JSON.stringify(value);
      const known = seen.get(name);
      if (!known) seen.set(name, { first: text, count: 1, varies: false });
      else {
        known.count++;
        known.varies ||= known.first !== text;
      }
    }
  }
  const all = [...seen.keys()];
  const varying = all.filter((name) => seen.get(name)!.varies || seen.get(name)!.count < runs.length);
  // What tells runs apart comes before what only some of them have, and what many have before what few have.
  const rank = (name: string) => Number(!seen.get(name)!.varies);
  varying.sort((a, b) => rank(a) - rank(b) || seen.get(b)!.count - seen.get(a)!.count);
  return { all, varying };
}

/** Metrics of the machine, by their names' beginning. */
const MACHINE = /^(system|sys|gpu|cpu)(?![a-z])/i;

/** The columns shown when the reader has chosen none: what differs between the runs, and the first metrics. */
export function defaultColumns(runs: readonly Run[]): Column[] {
  const metrics = splitHidden(runs, metricNames(runs)).shown;
  // What was validated tells more than what was trained on, and that more than what the machine did meanwhile.
  const order = (name: string) => (/^(val|valid|validation|test|eval)(?![a-z])/i.test(name) ? 0 : MACHINE.test(name) ? 2 : 1);
  const first = [...metrics].sort((a, b) => order(a) - order(b)).slice(0, 4);
  return [
    ...first.map((name): Column => ({ kind: "metric", name })),
    ...configNames(runs).varying.slice(0, 8).map((name): Column => ({ kind: "config", name })),
    { kind: "field", name: "duration" },
    { kind: "field", name: "created" },
  ];
}

export function metricValue(run: Run, name: string, aggregate: Aggregate): number | null {
  return metricCell(run, name, aggregate)?.value ?? null;
}

/** At which step the value of a metric's cell was logged. */
export function metricStep(run: Run, name: string, aggregate: Aggregate): number | null {
  return metricCell(run, name, aggregate)?.step ?? null;
}

function metricCell(run: Run, name: string, aggregate: Aggregate): { value: number; step: number | null } | null {
  const entry = run.summary[name];
  return isMetric(entry) ? aggregateOf(entry, aggregate, definitionOf(run, name)?.goal ?? null) : null;
}

/** How long a run has run, in microseconds, or null before it starts. */
export function durationOf(run: Run, now: number): number | null {
  return run.started_at === null ? null : (run.ended_at ?? now) - run.started_at;
}

export function cellText(run: Run, column: Column, aggregate: Aggregate): string {
  if (column.kind === "config") return formatValue(configOf(run).get(column.name));
  if (column.kind === "metric") {
    const value = metricValue(run, column.name, aggregate);
    return value === null ? "" : formatMetric(value);
  }
  switch (column.name) {
    case "sweep": return run.sweep_name ?? "";
    case "host": return run.host ?? "";
    case "user": return run.created_by ?? "";
    case "group": return run.group ?? "";
    case "job": return run.job_type ?? "";
    case "tags": return run.tags.join(", ");
    case "notes": return run.notes ?? "";
    case "id": return run.id;
    case "step": return run.last_step === null ? "" : String(run.last_step);
    case "created":
    case "started":
    case "ended":
    case "duration": return ""; // these move with the clock and are drawn by components of their own
  }
}

export interface Section {
  /** The part before the first slash; "" for names without one. */
  prefix: string;
  names: string[];
}

/** What the machine did stands below what was learned. */
const place = ({ prefix }: Section): number => (prefix === "" ? 0 : MACHINE.test(prefix) ? 2 : 1);

/** Metrics by their prefix: val/loss and val/acc belong together. Names without one come first, the machine's last. */
export function sections(names: readonly string[]): Section[] {
  const out = new Map<string, string[]>();
  for (const name of names) {
    const slash = name.indexOf("/");
    const prefix = slash > 0 ? name.slice(0, slash) : "";
    const held = out.get(prefix);
    if (held) held.push(name);
    else out.set(prefix, [name]);
  }
  return [...out].map(([prefix, held]) => ({ prefix, names: held })).sort((a, b) => place(a) - place(b) || byName(a.prefix, b.prefix));
}
