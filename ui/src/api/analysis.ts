// What the server finds out of a sweep's trials (docs/api.md, GET /sweeps/:sweep/analysis).
import { get } from "./client";
import type { Json, Numeric } from "./types";

export interface Importance {
  name: string;
  /** The share of the variance that the parameter explains alone, 0 to 1. */
  variance: number;
  /** Its part in telling the best tenth from all trials, 0 to 1. */
  among_the_best: number;
  /** Its part in a forest's splits, 0 to 1. */
  impurity: number;
  /** Of how many complete trials it had a value. */
  trials: number;
}

export interface SweepAnalysis {
  sweep: string;
  /** The place of the objective that all this is about. */
  objective: number;
  objectives: { name: string; goal: string; of: string; fallback?: string }[];
  /** Trials that ended, that came to their end with a value, of these those that meet every constraint, and those outside the present space. */
  trials: { ended: number; complete: number; feasible: number; outside: number };
  /** Which methods serve which trials; null: it cannot be said. */
  search: {
    method: string;
    /** From the number `from` up to that before `until`; null: all that come. */
    stages: { method: string; from: number; until: number | null; words: string | null }[];
    /** The place of the stage that chooses the next trial. */
    stage: number;
    /** What the choice went by; null: the file names the method. */
    reason: string | null;
    /** What trials that failed count as; null: nothing more is said of them. */
    failures?: string | null;
  } | null;
  /** Early stopping in words, and by step the trials that came no further; null: there is none. */
  stopping: { rules: string[]; rungs: { step: number; stopped: number[]; paused: number[] }[] } | null;
  progress: {
    best: Numeric | null;
    best_trial: number | null;
    since_best: number;
    late_gain: Numeric;
    chance: Numeric;
    regret: Numeric | null;
    statements: string[];
  };
  importance: {
    /** Complete trials that it takes. */
    needed: number;
    /** Complete trials that it is made of: those within the present space. */
    trials: number;
    /** Why there is none, and which trials are not counted, in sentences. */
    note: string | null;
    /** The one that explains most first. */
    parameters: Importance[];
    /** The strongest pair first. */
    interactions: { first: string; second: string; variance: number }[];
  };
  /** The mean over all other parameters, by a forest. */
  slices: { name: string; values: Json[]; metric: Numeric[] }[];
  /** The better first, 200 at most: values of complete trials, and which share of these is at least as good. */
  distribution: { metric: Numeric[]; share: number[] };
  /** Numbers of the trials on the front; null with one objective. */
  front: number[] | null;
  hypervolume: { reference: Numeric[]; trials: number[]; volumes: Numeric[] } | null;
  /** What was asked for besides, by its name: nothing here. */
  charts: Record<string, Json>;
  /** Why a chart is not there, or lacks something, by its name. */
  chart_notes: Record<string, string>;
  /** What would have taken too long, by its name here. */
  left_out: string[];
}

export function readAnalysis(sweep: string, objective: number, signal?: AbortSignal): Promise<SweepAnalysis> {
  return get<SweepAnalysis>(`/sweeps/${encodeURIComponent(sweep)}/analysis?objective=${objective}`, signal);
}
