// The pool in words: what is free, who needs what, why a device is not given to anybody.
import type { Needs, Pool, PoolDevice, PoolPolicy, QueueEntry } from "../api/types";
import { formatDuration, plural } from "../format";

const GiB = 2 ** 30;

/** Memory as drivers and Martlet's sentences count it: 24 GiB, 512 MiB. */
export function formatMemory(bytes: number): string {
  const [size, unit] = bytes >= GiB ? [bytes / GiB, "GiB"] : [bytes / 2 ** 20, "MiB"];
  const digits = size >= 99.95 || unit === "MiB" ? size.toFixed(0) : size.toFixed(1).replace(/\.0$/, "");
  return `${digits} ${unit}`;
}

/** The moment on the reader's clock: 14:05, with the day where it is another one. */
export function formatClock(at: number, now: number): string {
  const [date, today] = [new Date(at / 1000), new Date(now / 1000)];
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.toDateString() === today.toDateString() ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** When something is expected: "in about 5 min", "any moment". It is no more certain than that. */
export function expected(at: number, now: number): string {
  const seconds = (at - now) / 1e6;
  if (seconds < 1) return "any moment";
  if (seconds < 60) return `in about ${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `in about ${Math.round(seconds / 60)} min`;
  return `in about ${formatDuration(at - now)}`;
}

/** How many of the devices somebody holds. */
export const inUse = (pool: Pool): number => pool.devices.filter(({ used_slots }) => used_slots > 0).length;

/** What stands in the top bar, and in full for who cannot see it; null: there is nothing to tell. */
export function meterWords(pool: Pool | null): { short: string; rest: string; whole: string } | null {
  if (pool === null) return null;
  const { devices, running, waiting, cpu_slots } = pool.totals;
  if (devices === 0 && running === 0 && waiting === 0) return null;
  const used = inUse(pool);
  const short = devices > 0 ? `${used}/${devices}` : cpu_slots.limit === null ? String(running) : `${cpu_slots.used}/${cpu_slots.limit}`;
  const noun = devices > 0 ? (devices === 1 ? " GPU" : " GPUs") : cpu_slots.limit === null ? " running" : " slots";
  const rest = `${noun}${waiting > 0 ? ` · ${waiting.toLocaleString("en-US")} waiting` : ""}`;
  const first = devices > 0 ? `${used} of ${plural(devices, "GPU")} in use, ` : "";
  return { short, rest, whole: `Pool: ${first}${plural(running, "run")} running, ${waiting.toLocaleString("en-US")} waiting` };
}

/** What an attempt needs, shortly: "2 GPUs, 20 GiB each", "a CPU slot". */
export function needsWords({ gpus, gpu_memory, gpu_slots, same_host, memory }: Needs): string {
  const parts: string[] = [];
  if (gpus > 0) {
    parts.push(plural(gpus, "GPU"));
    if (gpu_memory) parts.push(gpus > 1 ? `${formatMemory(gpu_memory)} each` : formatMemory(gpu_memory));
    if (gpu_slots && gpu_slots > 1) parts.push(`${gpu_slots} slots${gpus > 1 ? " of each" : ""}`);
    if (same_host === false && gpus > 1) parts.push("in any machines");
  } else parts.push("a CPU slot");
  if (memory) parts.push(`${formatMemory(memory)} of memory`);
  return parts.join(", ");
}

export type Tone = "live" | "good" | "bad" | "warn" | "idle";

/** How a device stands, in a word with its tone. What keeps others away comes first. */
export function deviceWord({ standing, foreign, used_slots, slots }: PoolDevice): { word: string; tone: Tone; icon: "pause" | "drain" | "question" | "play" | "check" } {
  if (standing === "draining") return { word: "draining", tone: "warn", icon: "drain" };
  if (standing === "cordoned") return { word: "cordoned", tone: "warn", icon: "pause" };
  if (foreign) return { word: "used by others", tone: "warn", icon: "question" };
  if (used_slots === 0) return { word: "free", tone: "good", icon: "check" };
  return { word: slots > 1 ? `${used_slots} of ${slots} slots` : "in use", tone: "live", icon: "play" };
}

/** Sentences about why nobody gets a device, or who else uses it. */
export function deviceNotes({ standing, standing_reason, foreign, reading, memory, holders }: PoolDevice): string[] {
  // Some reasons are sentences of their own.
  const why = (what: string) => (standing_reason ? `${what}${/^\p{Lu}/u.test(standing_reason) ? "." : ":"} ${ended(standing_reason)}` : `${what}.`);
  const notes: string[] = [];
  if (standing === "cordoned") notes.push(`${why("Out of service")}${holders.length > 0 ? " Who holds it goes on." : ""}`);
  if (standing === "draining") notes.push(`${why(holders.length > 0 ? "Being emptied" : "Emptied")}${holders.length > 0 ? " Who holds it was asked to make room." : ""}`);
  if (foreign) {
    const seen = [
      ...(reading?.utilization == null ? [] : [`${percent(reading.utilization)} busy`]),
      ...(reading?.memory_used == null || memory === null ? [] : [`${formatMemory(reading.memory_used)} of ${formatMemory(memory)} taken`]),
    ];
    notes.push(`Processes that are not Martlet's use it${seen.length > 0 ? `: ${seen.join(", ")}` : ""}. It is left alone until it is idle.`);
  }
  return notes;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** A sentence with its end. */
export const ended = (text: string): string => (/[.!?]\s*$/.test(text) ? text.trim() : `${text.trim()}.`);

const ORDINALS = ["first", "second", "third"];

/** Where a run stands in the line, and why it waits. */
export function waitSentence({ position, reason, state }: Pick<QueueEntry, "position" | "reason" | "state">): string {
  if (state === "pausing") return ended(reason || "It pauses before the next try");
  if (position === null) return ended(reason);
  const place = position <= ORDINALS.length ? `The ${ORDINALS[position - 1]} in line.` : `Number ${position} in line.`;
  // That others are before it is said by its place.
  const rest = position === 1 ? reason : reason.replace(/^(Another is|\d+ others are) before it in the line\.?\s*/, "");
  return rest === "" ? place : `${place} ${ended(rest)}`;
}

/** Those who wait and hold a text in their name, project, sweep's reason; all for "". */
export function findQueued(queue: readonly QueueEntry[], text: string): readonly QueueEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return queue;
  return queue.filter((entry) => {
    const all = `${entry.run_name} ${entry.run} ${entry.project} ${needsWords(entry.needs)} ${entry.reason}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** How the pool chooses, in sentences. */
export function policySentences(policy: PoolPolicy): string[] {
  const limit = (value: number | null, what: string) => (value === null ? [] : [`${what} at most ${formatMemory(value)}.`]);
  return [
    policy.backfill === 0 ? "First come, first served: nobody overtakes." : `A request may pass one that came at most ${plural(policy.backfill, "request")} before it.`,
    ...(policy.group_equal_needs ? ["Who needs the same as the first in line starts together with it."] : []),
    `The least used GPU goes first: ${policy.memory_weight} × free memory + ${policy.idle_weight} × idle time.`,
    policy.balance > 0 ? `In a set of GPUs the least free memory is at least ${percent(policy.balance)} of the most.` : "Any GPUs may form a set.",
    `A GPU that nobody here holds belongs to others when it is more than ${percent(policy.foreign_utilization)} busy or has less than ${formatMemory(policy.foreign_free_memory)} free.`,
    policy.cpu_slots === null ? "Runs without GPUs start at once." : `At most ${plural(policy.cpu_slots, "run")} without GPUs at a time.`,
    ...limit(policy.memory, "All runs together may ask for"),
    ...limit(policy.gpu_memory, "All runs together may ask for GPU memory of"),
  ];
}

/** Of the reason for a sweep's pause: what happened, and the first failure as it was told, which may have many lines. */
export function pauseReason(reason: string | null): { what: string; first: string | null } {
  const text = reason ?? "";
  const at = text.indexOf(" The first: ");
  return at < 0 ? { what: text, first: null } : { what: text.slice(0, at), first: text.slice(at + " The first: ".length).trim() };
}
