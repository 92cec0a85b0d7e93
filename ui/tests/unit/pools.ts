// Pools as the server tells of them, for tests: what a test does not name is as on an idle server.
import type { Holding, Needs, Pool, PoolDevice, QueueEntry } from "../../src/api/types";

export const needs = (changes: Partial<Needs> = {}): Needs =>
  ({ gpus: 0, gpu_memory: null, gpu_slots: null, same_host: null, memory: null, ...changes });

export const device = (index: number, changes: Partial<PoolDevice> = {}): PoolDevice => ({
  index, kind: "cuda", name: "RTX 4090", host: "box", memory: 24 * 2 ** 30, slots: 1, used_slots: 0, reserved_memory: 0, standing: "open",
  standing_reason: null, foreign: false, reading: null, holders: [], free_at: null, ...changes,
});

export const holding = (run: string, changes: Partial<Holding> = {}): Holding => ({
  run, run_name: `${run}-name`, project: "p", sweep: null, trial: null, attempt: 1, state: "running", devices: [], needs: needs(), priority: 0,
  since: 0, expected_end: null, ...changes,
});

export const waiting = (run: string, changes: Partial<QueueEntry> = {}): QueueEntry => ({
  position: 1, run, run_name: `${run}-name`, project: "p", sweep: null, trial: null, attempt: 1, needs: needs(), priority: 0, state: "waiting", since: 0,
  reason: "All 2 CPU slots are taken.", starts_at: null, ...changes,
});

export function pool(parts: { devices?: PoolDevice[]; running?: Holding[]; queue?: QueueEntry[]; cpuSlots?: number } = {}): Pool {
  const { devices = [], running = [], queue = [], cpuSlots = null } = parts;
  return {
    host: "box", devices, running, queue,
    policy: {
      memory_weight: 0.6, idle_weight: 0.4, balance: 0.8, foreign_utilization: 0.5, foreign_free_memory: 8000 * 2 ** 20, backfill: 0,
      group_equal_needs: false, cpu_slots: cpuSlots, memory: null, gpu_memory: null,
    },
    totals: {
      devices: devices.length, free: devices.filter(({ used_slots, standing }) => used_slots === 0 && standing === "open").length,
      slots: devices.length, used_slots: devices.filter(({ used_slots }) => used_slots > 0).length, running: running.length, waiting: queue.length,
      cpu_slots: { limit: cpuSlots, used: running.filter((each) => each.devices.length === 0).length },
      memory: { limit: null, reserved: 0 }, gpu_memory: { limit: null, reserved: 0 },
    },
  };
}
