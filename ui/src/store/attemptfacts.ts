// What an attempt used, why it did not succeed, and how often that had been forgiven, in a few words each.
import type { Attempt, Fault } from "../api/types";
import { formatDuration } from "../format";
import { formatMemory } from "./poolwords";

const FAULTS: Record<Fault, string> = {
  infra: "through no fault of its own", failure: "its program failed", oom: "out of memory", timeout: "out of time",
};

export function attemptFacts({ fault, peak_memory, peak_gpu_memory, cpu_seconds, devices, retries, ended_at, stop_requested_at, room_requested_at }: Attempt): string[] {
  const used = Object.entries(retries ?? {}).filter(([, count]) => count! > 0);
  return [
    ...(fault ? [FAULTS[fault] ?? fault] : []),
    ...(devices && devices.length > 0 ? [`GPU ${devices.join(", ")}`] : []),
    ...(peak_memory ? [`at most ${formatMemory(peak_memory)} of memory`] : []),
    ...(peak_gpu_memory ? [`${formatMemory(peak_gpu_memory)} of GPU memory`] : []),
    ...(cpu_seconds == null ? [] : [`${formatDuration(cpu_seconds * 1e6)} of CPU`]),
    ...used.map(([cause, count]) => `${count === 1 ? "one retry" : `${count} retries`} for ${cause}`),
    ...(stop_requested_at && ended_at === null ? ["asked to end"] : []),
    ...(room_requested_at && ended_at === null ? ["asked to make room"] : []),
  ];
}
