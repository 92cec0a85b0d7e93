// When the trials of a sweep ran, in as few lanes as they need, and how much of the time these were in use.
import type { Trial } from "../api/types";
import { type Lane, type Span, packed } from "./lanes";

export interface TrialLanes {
  lanes: Lane[];
  /** Microseconds: from the first start to the last end, or to now while one runs. */
  window: [number, number];
  /** The part of all lanes' time in which a trial ran, 0 to 1. */
  use: number;
}

/** Null: no trial has started. */
export function trialLanes(trials: readonly Trial[], project: string, sweep: string, now: number): TrialLanes | null {
  const spans = trials.flatMap((trial): Span[] => (trial.started_at === null ? [] : [{
    key: `t${trial.number}`, run: trial.run, name: trial.run_name ?? `trial ${trial.number}`, project, sweep, trial: trial.number, devices: [],
    from: trial.started_at, to: trial.ended_at, planned: null, state: trial.state,
  }])).sort((a, b) => a.from - b.from || (a.trial ?? 0) - (b.trial ?? 0));
  if (spans.length === 0) return null;
  const until = (span: Span) => Math.max(span.from, span.to ?? now);
  const from = spans[0]!.from;
  const to = spans.reduce((latest, span) => Math.max(latest, until(span)), from);
  const lanes = packed(spans).map((inside, i): Lane => ({ id: `lane ${i}`, title: String(i + 1), spans: inside }));
  const busy = spans.reduce((sum, span) => sum + until(span) - span.from, 0);
  return { lanes, window: [from, Math.max(to, from + 1)], use: to > from ? Math.min(1, busy / ((to - from) * lanes.length)) : 1 };
}
