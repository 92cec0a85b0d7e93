// What a sweep looks for, and what its trials came to.
import type { Sweep, Trial } from "../api/types";
import type { MarkKind } from "../charts/marks";
import { toNumber } from "../format";

export interface Objective {
  name: string;
  maximise: boolean;
  /** Which number of the metric counts: best, last, mean, min, max. */
  of: string;
}

/** One at least; of a sweep without any, a nameless one that nothing has. */
export function objectivesOf({ search, metric }: Sweep): Objective[] {
  const told = search?.objectives ?? [];
  const all = told.length > 0 ? told : metric === null ? [] : [metric];
  return all.map(({ name, goal, of }) => ({ name, maximise: goal.startsWith("max"), of: of ?? "best" }));
}

/** What a trial came to in one objective, NaN while there is nothing. */
export function valueOf(trial: Trial, objective: number): number {
  return toNumber(objective === 0 ? trial.objective : trial.other_objectives?.[objective - 1]);
}

/** Whether a trial meets every constraint of its sweep. */
export function isFeasible({ violations }: Trial): boolean {
  return (violations ?? []).every((each) => toNumber(each) <= 0);
}

/** How a trial is marked in charts. */
export function markOf(trial: Trial): MarkKind {
  switch (trial.state) {
    case "complete": return isFeasible(trial) ? "complete" : "infeasible";
    case "waiting":
    case "running": return "running";
    default: return trial.state;
  }
}

/** The numbers of the feasible complete trials that no other is better than in one objective and as good in the rest. */
export function frontOf(trials: readonly Trial[], objectives: readonly Objective[]): Set<number> {
  const rows = trials.filter((trial) => trial.state === "complete" && isFeasible(trial))
    .map((trial) => ({ number: trial.number, losses: objectives.map(({ maximise }, k) => valueOf(trial, k) * (maximise ? -1 : 1)) }))
    .filter(({ losses }) => losses.every(Number.isFinite));
  // In this order nothing that comes later dominates what came before.
  rows.sort((a, b) => {
    for (let k = 0; k < objectives.length; k++) if (a.losses[k] !== b.losses[k]) return a.losses[k]! - b.losses[k]!;
    return a.number - b.number;
  });
  const front: typeof rows = [];
  for (const row of rows) {
    const beaten = front.some(({ losses }) => losses.every((loss, k) => loss <= row.losses[k]!) && losses.some((loss, k) => loss < row.losses[k]!));
    if (!beaten) front.push(row);
  }
  return new Set(front.map(({ number }) => number));
}
