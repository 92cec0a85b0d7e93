// What is to be said of a trial in a few words: why it waits, that it was asked to end, how it ended, what is odd about it.
import type { Holding, QueueEntry, Trial } from "../api/types";
import { isFeasible } from "./objectives";
import { ended, waitSentence } from "./poolwords";

/** `placed`: how it stands in the pool, while it does. */
export function trialNote(trial: Trial, placed: QueueEntry | Holding | null): string {
  const parts: string[] = [];
  if (placed !== null && "reason" in placed) parts.push(waitSentence(placed));
  if (placed !== null && "asked" in placed && placed.asked) {
    parts.push(placed.asked === "stop" ? "It was asked to end." : "It was asked to make room.");
  }
  if (trial.objective !== null && trial.ended_at !== null && !isFeasible(trial)) parts.push("It misses a constraint.");
  if (trial.reason) parts.push(ended(trial.reason));
  for (const issue of trial.issues ?? []) parts.push(ended(issue));
  return parts.join(" ");
}
