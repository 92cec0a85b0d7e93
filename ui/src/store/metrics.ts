// What was said of metrics (`define_metric`): which aggregate stands for one, its own x axis, its goal, whether it is hidden.
import type { MetricDefinition, MetricSummary, Run } from "../api/types";
import { toNumber } from "../format";

export type Aggregate = "last" | "best" | "min" | "max" | "mean";

export const AGGREGATES: readonly Aggregate[] = ["last", "best", "min", "max", "mean"];

/** The definition of a metric: of its own name, or else of the longest beginning that ends in `*`. */
export function definitionOf(run: Run, name: string): MetricDefinition | null {
  const all = run.metrics ?? {};
  const own = all[name];
  if (own) return own;
  let best: string | null = null;
  for (const pattern of Object.keys(all)) {
    if (!pattern.endsWith("*") || !name.startsWith(pattern.slice(0, -1))) continue;
    if (best === null || pattern.length > best.length) best = pattern;
  }
  return best === null ? null : all[best]!;
}

/** What the first of the runs that defines a metric says of it. */
export function definedIn(runs: readonly Run[], name: string): MetricDefinition | null {
  for (const run of runs) {
    const found = definitionOf(run, name);
    if (found) return found;
  }
  return null;
}

/** The metric over which another is drawn by default, unless it is the metric itself. */
export function stepMetricOf(runs: readonly Run[], name: string): string | null {
  const own = definedIn(runs, name)?.step_metric ?? null;
  return own === name ? null : own;
}

/** Metrics that are drawn, and those that are hidden unless asked for. */
export function splitHidden(runs: readonly Run[], names: readonly string[]): { shown: string[]; hidden: string[] } {
  const hidden = names.filter((name) => definedIn(runs, name)?.hidden ?? false);
  const away = new Set(hidden);
  return { shown: names.filter((name) => !away.has(name)), hidden };
}

/** The aggregate that stands for a metric in a table of runs. */
export function headlineOf(runs: readonly Run[], name: string): Aggregate {
  const rule = definedIn(runs, name)?.summary ?? "last";
  return rule === "none" ? "last" : rule;
}

/** An aggregate's value and the step at which it was logged; null where there is none: no goal, no value. */
export function aggregateOf(
  entry: MetricSummary, aggregate: Aggregate, goal: string | null,
): { value: number; step: number | null } | null {
  switch (aggregate) {
    case "last": return { value: toNumber(entry.last), step: entry.last_step };
    case "min": return { value: toNumber(entry.min), step: entry.min_step };
    case "max": return { value: toNumber(entry.max), step: entry.max_step };
    case "mean": return { value: toNumber(entry.mean), step: null };
    case "best":
      if (entry.best != null) return { value: toNumber(entry.best), step: entry.best_step ?? null };
      if (goal === null) return null;
      return aggregateOf(entry, goal.startsWith("max") ? "max" : "min", goal);
  }
}
