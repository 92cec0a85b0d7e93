// How far the ending of runs is that were asked to end.

export interface StopTimes {
  /** When it was asked to end; null: not known. */
  asked: number | null;
  /** When it is killed, if it has not ended by then; null: not known. */
  kill: number | null;
}

/** Of all that are ending: when the first was asked, when the last is killed, and the stage that this is. */
export function stopStage(times: readonly StopTimes[], now: number): StopTimes & { stage: "asked" | "killed" } {
  const asked = times.flatMap((each) => (each.asked === null ? [] : [each.asked]));
  const kill = times.flatMap((each) => (each.kill === null ? [] : [each.kill]));
  const last = kill.length === 0 ? null : Math.max(...kill);
  return { asked: asked.length === 0 ? null : Math.min(...asked), kill: last, stage: last !== null && now >= last ? "killed" : "asked" };
}
