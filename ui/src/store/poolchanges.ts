// What a reader changes about the pool, the line, and how a sweep goes on. What can be undone says so.
import { poolAPI, type SweepChanges } from "../api/pool";
import type { PoolPolicy, Sweep } from "../api/types";
import { attempt, toast } from "../components/Toast";
import { formatDuration, plural } from "../format";

async function offer(work: () => Promise<unknown>, text: string, undo: (() => void) | null): Promise<boolean> {
  const done = await attempt(work);
  if (done) toast(text, undo === null ? {} : { action: { word: "Undo", run: undo } });
  return done;
}

export type Ordered = "cordon" | "drain" | "uncordon";

/** Takes a device out of service, or back. Who was asked to make room has been asked: that is not undone. */
export function stand(index: number, how: Ordered, reason = "", undo = true): Promise<boolean> {
  const text = {
    cordon: `GPU ${index} is given to nobody now.`, drain: `GPU ${index} is being emptied.`, uncordon: `GPU ${index} is in service again.`,
  }[how];
  return offer(() => poolAPI.stand(index, how, reason), text, undo && how !== "uncordon" ? () => void stand(index, "uncordon", "", false) : null);
}

interface Waiting {
  run: string | null;
  run_name: string | null;
  priority: number;
}

export async function moveInLine({ run, run_name }: Waiting, to: "front" | "back"): Promise<boolean> {
  if (run === null) return false;
  return offer(() => poolAPI.move(run, to), `${run_name ?? run} is at the ${to === "front" ? "front" : "end"} of the line.`, null);
}

export async function prioritize(entry: Waiting, priority: number, undo = true): Promise<boolean> {
  const { run, run_name, priority: before } = entry;
  if (run === null || priority === before) return false;
  return offer(() => poolAPI.prioritize(run, priority), `${run_name ?? run} has priority ${priority}.`,
    undo ? () => void prioritize({ ...entry, priority }, before, false) : null);
}

export const preempt = (run: string, name: string, keepPlace: boolean): Promise<boolean> =>
  offer(() => poolAPI.preempt(run, keepPlace), `${name} was asked to make room.`, null);

/** Pauses a sweep, or lets it go on. */
export function pauseSweep({ id }: Sweep, paused: boolean, undo = true): Promise<boolean> {
  return offer(() => (paused ? poolAPI.pause(id) : poolAPI.resume(id)),
    paused ? "The sweep is paused: no new trial starts." : "The sweep goes on.",
    undo ? () => void pauseSweep({ id } as Sweep, !paused, false) : null);
}

/** What a change of a sweep's settings says when it is done. */
export function changeWords({ max_parallel, priority, timeout, budget }: SweepChanges): string {
  const parts = [
    ...(max_parallel === undefined ? [] : [
      max_parallel === "auto" ? "As many trials run as there is room for." : max_parallel === 0 ? "Agents run all that come." : `${max_parallel} at a time.`,
    ]),
    ...(priority === undefined ? [] : [`Its priority is ${priority}.`]),
    ...(budget === undefined ? [] : [budget === null ? "There is no limit of trials." : `At most ${plural(budget, "trial")}.`]),
    ...(timeout === undefined ? [] : [timeout === null ? "Trials may take as long as they like." : `A trial may take ${formatDuration(timeout * 1e6)}.`]),
  ];
  return parts.join(" ");
}

/** The changes that bring back what they change. */
export function changesBack(sweep: Sweep, changes: SweepChanges): SweepChanges {
  return {
    ...(changes.max_parallel === undefined ? {} : { max_parallel: sweep.max_parallel_auto ? "auto" as const : sweep.max_parallel }),
    ...(changes.priority === undefined ? {} : { priority: sweep.priority ?? 0 }),
    ...(changes.timeout === undefined ? {} : { timeout: sweep.timeout }),
    ...(changes.budget === undefined ? {} : { budget: sweep.budget }),
  };
}

export function changeSweep(sweep: Sweep, changes: SweepChanges, undo = true): Promise<boolean> {
  const back = changesBack(sweep, changes);
  return offer(() => poolAPI.changeSweep(sweep.id, changes), changeWords(changes), undo ? () => void changeSweep(sweep, back, false) : null);
}

export const stopTrial = (sweep: Sweep, trial: number): Promise<boolean> =>
  attempt(() => poolAPI.stopTrial(sweep.id, trial), `Trial ${trial} was asked to stop.`);

/** What of a policy differs from what it was. */
export function policyChanges(before: PoolPolicy, after: PoolPolicy): Partial<PoolPolicy> {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name as keyof PoolPolicy] !== value));
}

export async function setPolicy(before: PoolPolicy, after: PoolPolicy, undo = true): Promise<boolean> {
  const changes = policyChanges(before, after);
  if (Object.keys(changes).length === 0) return true;
  return offer(() => poolAPI.setPolicy(changes), "The pool chooses by the new rules.", undo ? () => void setPolicy(after, before, false) : null);
}
