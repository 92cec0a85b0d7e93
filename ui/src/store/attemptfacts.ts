// What an attempt used and was allowed, and why it did not succeed, in a few words each.
import type { Attempt, Fault } from "../api/types";
import { formatDuration } from "../format";
import { formatMemory } from "./poolwords";

const FAULTS: Record<Fault, string> = {
  infra: "through no fault of its own", failure: "its program failed", oom: "out of memory", timeout: "out of time",
};

export function attemptFacts(attempt: Attempt): string[] {
  const { fault, peak_memory, cpu_seconds, limits, devices, ended_at, stop_requested_at, room_requested_at } = attempt;
  const most = limits?.memory ? `${formatMemory(limits.memory)} allowed${limits.memory_by ? ` (${limits.memory_by})` : ""}` : "";
  return [
    ...(fault ? [FAULTS[fault] ?? fault] : []),
    ...(devices && devices.length > 0 ? [`GPU ${devices.join(", ")}`] : []),
    ...(peak_memory ? [`at most ${formatMemory(peak_memory)} of memory${most === "" ? "" : `, ${most}`}`] : most === "" ? [] : [`${most} of memory`]),
    ...(cpu_seconds == null ? [] : [`${formatDuration(cpu_seconds * 1e6)} of CPU${limits?.cpus ? ` on ${limits.cpus}` : ""}`]),
    ...(limits?.output ? [`output up to ${formatMemory(limits.output)}`] : []),
    ...(stop_requested_at && ended_at === null ? ["asked to end"] : []),
    ...(room_requested_at && ended_at === null ? ["asked to make room"] : []),
  ];
}
