// The objects of the API (docs/api.md), as the server writes them.

/** A number; what JSON cannot hold comes as a string. `toNumber` of format.ts reads both. */
export type Numeric = number | "NaN" | "Infinity" | "-Infinity";

export type RunState =
  | "queued" | "starting" | "running" | "lost" | "finished" | "failed" | "timedOut" | "killed" | "stopped"
  | "preempted" | "crashed";

export type SweepState =
  | "pending" | "queued" | "running" | "paused" | "draining" | "finished" | "stopped" | "failed" | "cancelled";

export type TrialState = "waiting" | "running" | "paused" | "complete" | "pruned" | "failed";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Project {
  id: string;
  name: string;
  description: string | null;
  created_at: number;
  created_by: string | null;
  runs: number;
  running: number;
  sweeps: number;
  last_activity_at: number | null;
}

/** What a run's summary holds of one metric. */
export interface MetricSummary {
  last: Numeric;
  last_step: number;
  last_at: number;
  min: Numeric;
  min_step: number;
  max: Numeric;
  max_step: number;
  mean: Numeric;
  /** The least or the greatest, by the metric's goal; null without one. */
  best?: Numeric | null;
  best_step?: number | null;
  count: number;
  nan_count: number;
  /** Set by somebody, or logged under the same name and no number. */
  value?: Json;
  set_at?: number;
  /** It is computed by an expression of the project, not logged. */
  derived?: boolean;
}

/** What was said of a metric; its name may end in `*`. */
export interface MetricDefinition {
  summary: "last" | "min" | "max" | "mean" | "best" | "none" | null;
  /** The metric of the same rows that is its x axis. */
  step_metric: string | null;
  goal: "minimize" | "maximize" | null;
  hidden: boolean;
}

/** A string or nested value that was logged stands in the summary as it was, or what somebody set there. */
export interface ValueSummary {
  value: Json;
  last_step?: number;
  /** When somebody set it; absent when it was logged. */
  set_at?: number;
}

export type Summary = Record<string, MetricSummary | ValueSummary>;

export interface Git {
  commit: string | null;
  branch: string | null;
  dirty: boolean | null;
  remote: string | null;
}

export interface Exit {
  code: number | null;
  signal: number | string | null;
  reason: string | null;
}

export interface Run {
  id: string;
  project: string;
  name: string;
  state: RunState;
  sweep: string | null;
  sweep_name: string | null;
  trial: number | null;
  config: { [key: string]: Json };
  summary: Summary;
  metrics?: Record<string, MetricDefinition>;
  tags: string[];
  notes: string | null;
  group: string | null;
  job_type: string | null;
  command: string[] | null;
  workdir: string | null;
  run_dir: string | null;
  host: string | null;
  pid: number | null;
  git: Git | null;
  python: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  last_seen_at: number | null;
  created_by: string | null;
  exit: Exit | null;
  attempt: number;
  attempts: number;
  devices: (number | string)[] | null;
  points: number;
  last_step: number | null;
  /** When it went to the trash. */
  deleted_at?: number | null;
  /** The run whose history it began with, up to the step (null: all of it). */
  forked_from?: { run: string; step: number | null } | null;
  /** Archived runs are left out of lists. */
  archived_at?: number | null;
  /** A locked run is kept from being deleted and changed. */
  locked_at?: number | null;
  /** The run it is a part of, and how many are parts of it. */
  parent?: string | null;
  children?: number;
  /** The machine in few words. */
  hardware?: string | null;
  /** What it ran on and with; only where one run is asked for. */
  environment?: Environment | null;
}

/** What a run ran on and with. Every part may be unknown. */
export interface Environment {
  os?: string | null;
  kernel?: string | null;
  cpu?: { model?: string | null; cores?: number | null; threads?: number | null } | null;
  memory_bytes?: number | null;
  cgroup_memory_bytes?: number | null;
  gpus?: { name?: string | null; memory_bytes?: number | null; driver?: string | null }[] | null;
  python?: { version?: string | null; executable?: string | null } | null;
  argv?: string[] | null;
  cwd?: string | null;
  variables?: Record<string, string> | null;
  [more: string]: Json | undefined;
}

/** What happened to a run: who, when, and what exactly. */
export interface RunEvent {
  at: number;
  type: string;
  by: string | null;
  payload: { [key: string]: Json } | null;
}

/** A file that was saved with a run. */
export interface RunFile {
  path: string;
  sha256: string;
  size: number;
  media_type: string | null;
  created_at: number;
}

export interface Alert {
  id: number;
  run: string;
  run_name: string;
  project: string;
  at: number;
  level: "info" | "warn" | "error";
  title: string;
  text: string;
  /** Who raised it. */
  by: string;
}

export interface Layer {
  name: string;
  type: string | null;
  parameters: number | null;
  trainable: number | null;
  input_shape: Json;
  output_shape: Json;
}

export interface Model {
  framework?: string | null;
  parameters?: number | null;
  trainable?: number | null;
  layers: Layer[];
}

/** A metric of the machine while a run went on. */
export interface SystemMetric {
  name: string;
  unit: string | null;
  last: Numeric;
  mean: Numeric;
  min: Numeric;
  max: Numeric;
}

export interface Attempt {
  number: number;
  state: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  exit: Exit | null;
  pid: number | null;
  devices: (number | string)[] | null;
  dir: string | null;
  /** Why it did not succeed, as retries count it. */
  fault?: Fault | null;
  /** Bytes, at most. */
  peak_memory?: number | null;
  cpu_seconds?: number | null;
  /** Which of its limits ended it. */
  limit?: string | null;
  /** What it was allowed, and what saw to it. */
  limits?: {
    memory?: number | null; cpus?: number | null; output?: number | null; open_files?: number | null; memory_by?: string | null;
    cpus_by?: string | null;
  } | null;
  /** When it was asked to end, and to make room. */
  stop_requested_at?: number | null;
  room_requested_at?: number | null;
  /** When it is killed, if it has not ended by then. */
  kill_at?: number | null;
}

export type Fault = "infra" | "failure" | "oom" | "timeout";

export interface Parameter {
  name: string;
  kind: string;
  values?: Json[];
  min?: Numeric;
  max?: Numeric;
  distribution?: string;
  step?: Numeric;
  q?: Numeric;
  a?: Numeric;
  b?: Numeric;
  mu?: Numeric;
  sigma?: Numeric;
  /** Of one that is computed from others. */
  expression?: string;
}

export interface Sweep {
  id: string;
  project: string;
  name: string;
  description: string | null;
  state: SweepState;
  state_reason: string | null;
  method: string;
  metric: { name: string; goal: string; of?: string; fallback?: string } | null;
  /** What was asked of the search beside its method. */
  search?: {
    objectives?: { name: string; goal: string; of?: string }[];
    options?: { [name: string]: Json };
    constraints?: { metric: string; of?: string; min?: number | null; max?: number | null }[];
    /** Those that may be missed at a price. */
    soft_constraints?: { metric: string; min?: number | null; max?: number | null; weight: number }[];
    early_terminate?: Json;
    /** Limits beside the number of trials. */
    budget?: { [name: string]: Json };
    target?: number;
    /** Of several objectives; null: that one aims at nothing. */
    targets?: (number | null)[];
    /** How many points the file lists. */
    points?: number;
    warm_start?: string[];
  };
  parameters: Parameter[];
  max_parallel: number;
  /** The number is found by what there is room for. */
  max_parallel_auto?: boolean;
  /** Why the number is what it is, where nobody chose it. */
  max_parallel_reason?: string | null;
  priority?: number;
  timeout: number | null;
  /** What is done once before the first trial. */
  preparation?: { run: string; state: RunState } | null;
  command: string[] | null;
  workdir: string | null;
  output_dir: string | null;
  space_size: number | null;
  /** Counts the spaces it had. */
  space_version?: number;
  budget: number | null;
  counts: { waiting: number; running: number; paused?: number; complete: number; pruned: number; failed: number };
  best: { trial: number; run: string; run_name: string; objective: Numeric } | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  created_by: string | null;
  seed: number | null;
  source: string | null;
}

export interface Trial {
  number: number;
  state: TrialState;
  run: string | null;
  run_name: string | null;
  run_state: RunState | null;
  params: { [key: string]: Json };
  objective: Numeric | null;
  /** The objectives after the first. */
  other_objectives?: Numeric[];
  /** By how much each constraint is missed; 0 or less: it is met. */
  violations?: Numeric[];
  /** What it counts as for the search since it failed. */
  penalty?: Numeric | null;
  reason: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  metrics: { final: Numeric | null; min: Numeric | null; max: Numeric | null } | null;
  attempts: number;
  /** Which version of the sweep's file it was drawn from. */
  space_version?: number;
  /** What is odd about its losses, in words. */
  issues?: string[];
}

/** What an attempt needs while it runs; 0 GPUs: a CPU slot. Memory in bytes. */
export interface Needs {
  gpus: number;
  /** Of each GPU. */
  gpu_memory: number | null;
  gpu_slots: number | null;
  same_host: boolean | null;
  /** Of the machine. */
  memory: number | null;
}

/** An attempt that holds what it needs. Of runs that the reader may not see, what they are is null. */
export interface Holding {
  run: string | null;
  run_name: string | null;
  project: string | null;
  sweep: string | null;
  trial: number | null;
  attempt: number;
  state: string;
  /** It was asked to end, or to make room, and has not gone yet. */
  asked?: "stop" | "makeRoom" | null;
  devices: number[];
  needs: Needs;
  priority: number;
  since: number;
  expected_end: number | null;
}

export type Standing = "open" | "cordoned" | "draining";

export interface PoolDevice {
  index: number;
  kind: "cuda" | "rocm" | "mps" | "declared";
  name: string;
  host: string;
  /** Bytes. */
  memory: number | null;
  slots: number;
  used_slots: number;
  /** Bytes that its holders asked for. */
  reserved_memory: number;
  standing: Standing;
  standing_reason: string | null;
  /** Other people's processes use it. */
  foreign: boolean;
  /** What its driver said last. */
  reading: {
    /** 0 to 1. */
    utilization: number | null;
    memory_used: number | null;
    /** Degrees Celsius. */
    temperature?: number | null;
    /** Watts. */
    power?: number | null;
    at?: number | null;
  } | null;
  holders: Holding[];
  free_at: number | null;
}

/** A run that waits for what it needs. */
export interface QueueEntry {
  /** From 1; null: it does not stand in the line yet. */
  position: number | null;
  run: string | null;
  run_name: string | null;
  project: string | null;
  sweep: string | null;
  trial: number | null;
  attempt: number;
  needs: Needs;
  priority: number;
  /** `pausing`: it went wrong, and is tried again after a while. */
  state: "waiting" | "pausing";
  since: number | null;
  reason: string;
  starts_at: number | null;
}

/** How the pool chooses; null: no limit. Memory in bytes, shares from 0 to 1. */
export interface PoolPolicy {
  memory_weight: number;
  idle_weight: number;
  balance: number;
  foreign_utilization: number;
  foreign_free_memory: number;
  backfill: number;
  group_equal_needs: boolean;
  cpu_slots: number | null;
  memory: number | null;
  gpu_memory: number | null;
}

export interface Pool {
  host: string;
  devices: PoolDevice[];
  running: Holding[];
  queue: QueueEntry[];
  policy: PoolPolicy;
  totals: {
    devices: number;
    free: number;
    slots: number;
    used_slots: number;
    running: number;
    waiting: number;
    cpu_slots: { limit: number | null; used: number };
    memory: { limit: number | null; reserved: number };
    gpu_memory: { limit: number | null; reserved: number };
  };
}

/** One line's history: every point of the window, or buckets that keep each minimum and maximum. */
export interface SeriesAnswer {
  run: string;
  key: string;
  /** How many points the window holds. */
  count: number;
  kind: "raw" | "buckets";
  /** How many entries each column has. */
  n: number;
  /**
   * `steps`, `times`, and `values` of points, or `first last min max mean counts nan_counts` of buckets; `x`, the values of
   * the metric that was asked for as the x axis.
   */
  columns: ReadonlyMap<string, Float64Array>;
}

/** One call of `log()`, as far as it was asked for. */
export interface HistoryRow {
  /** Counts the run's rows from 0 as they arrived. */
  row: number;
  step: number;
  time: number;
  values: { [key: string]: Json };
}

export interface HistoryPiece {
  rows: HistoryRow[];
  /** How long the piece was, in characters. */
  size: number;
  more: boolean;
}

export interface LogPiece {
  stream: string;
  attempt: number;
  offset: number;
  next_offset: number;
  size: number;
  ended: boolean;
  text: string;
}

export interface Me {
  principal: string;
  token: string | null;
  scopes: string[];
  project: string | null;
  run: string | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** The one shape of every error answer. */
export interface ErrorBody {
  code: string;
  message: string;
  hint?: string | null;
  details?: Json;
}

/** Text messages of the live feed, server to client. */
export type LiveMessage =
  | { type: "ready"; principal: string; epoch?: string; seq?: number }
  /** `resumed`: what was missed since the number that was named comes now. */
  | { type: "subscribed"; id: number; seq: number; epoch?: string; resumed?: boolean }
  /** It could not be resumed: what is held may be wrong. */
  | { type: "reset"; id: number }
  /** All rows that there were have been told. */
  | { type: "snapshot"; id: number; seq: number }
  /** All points up to this change have been told. */
  | { type: "told"; id: number; seq: number }
  | { type: "run"; id: number; seq: number; run: Run }
  /** It went to the trash, or for ever. */
  | { type: "deleted"; id: number; seq: number; run: string }
  | { type: "sweep"; id: number; seq: number; sweep: Sweep; trials?: Trial[] }
  | { type: "names"; id: number; runs: Record<string, string>; keys: Record<string, string> }
  | { type: "changed"; id: number; runs: string[] }
  | { type: "log"; id: number; offset: number; next_offset: number; text: string; ended: boolean }
  | { type: "alert"; id: number; alert?: Alert }
  | { type: "pool"; id: number; seq: number; pool: Pool }
  | { type: "error"; id?: number; error: ErrorBody }
  | { type: "ping"; seq?: number };
