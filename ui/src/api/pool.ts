// HTTP calls of the pool: devices, the line of those who wait, and what is changed of a sweep while it goes on.
import { get, post, send } from "./client";
import type { Json, Pool, PoolDevice, PoolPolicy, QueueEntry, Run, Sweep } from "./types";

const enc = encodeURIComponent;

export interface SweepChanges {
  max_parallel?: number | "auto";
  priority?: number;
  /** Seconds of each trial; null: no limit. */
  timeout?: number | null;
  /** Trials at most; null: no limit. */
  budget?: number | null;
  /** The text of another sweep file, while it is paused. */
  source?: string;
}

export const poolAPI = {
  pool: (signal?: AbortSignal) => get<Pool>("/pool", signal),
  stand: (device: number, how: "cordon" | "drain" | "uncordon", reason?: string) =>
    post<PoolDevice>(`/pool/devices/${device}/${how}`, reason ? { reason } : {}),
  setPolicy: (changes: Partial<PoolPolicy>) => send<PoolPolicy>("PATCH", "/pool/policy", changes),
  move: (run: string, to: "front" | "back") => send<QueueEntry>("PATCH", `/runs/${enc(run)}/queue`, { move: to }),
  prioritize: (run: string, priority: number) => send<QueueEntry>("PATCH", `/runs/${enc(run)}/queue`, { priority }),
  /** Asks a run to make room; another attempt of it follows, in its old place or at the end of the line. */
  preempt: (run: string, keepPlace: boolean) => post<Run>(`/runs/${enc(run)}/preempt`, { keep_place: keepPlace }),
  pause: (sweep: string) => post<Sweep>(`/sweeps/${enc(sweep)}/pause`, {}),
  resume: (sweep: string) => post<Sweep>(`/sweeps/${enc(sweep)}/resume`, {}),
  changeSweep: (sweep: string, changes: SweepChanges) => send<Sweep>("PATCH", `/sweeps/${enc(sweep)}`, changes),
  /** Tries a point before the method is asked again. */
  addPoint: (sweep: string, params: { [name: string]: Json }) => post<Sweep>(`/sweeps/${enc(sweep)}/points`, { params }),
  stopTrial: (sweep: string, trial: number) => post<unknown>(`/sweeps/${enc(sweep)}/trials/${trial}/stop`, {}),
};
