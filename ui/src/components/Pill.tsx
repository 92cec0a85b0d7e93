// A state as icon, word and colour: three ways to read it, so that none has to carry it alone.
import { memo } from "react";
import { Icon, type IconName } from "./Icon";

type Tone = "live" | "good" | "bad" | "warn" | "idle";

const STATES: Record<string, readonly [word: string, tone: Tone, icon: IconName]> = {
  queued: ["queued", "idle", "clock"],
  pending: ["pending", "idle", "clock"],
  waiting: ["waiting", "idle", "clock"],
  starting: ["starting", "live", "play"],
  running: ["running", "live", "play"],
  draining: ["draining", "warn", "drain"],
  paused: ["paused", "warn", "pause"],
  lost: ["lost contact", "warn", "question"],
  finished: ["finished", "good", "check"],
  complete: ["complete", "good", "check"],
  failed: ["failed", "bad", "cross"],
  timedOut: ["timed out", "bad", "clock"],
  killed: ["killed", "bad", "cross"],
  crashed: ["crashed", "bad", "bolt"],
  stopped: ["stopped", "idle", "stop"],
  cancelled: ["cancelled", "idle", "stop"],
  preempted: ["preempted", "warn", "pause"],
  pruned: ["pruned", "idle", "scissors"],
};

export const Pill = memo(function Pill({ state }: { state: string }) {
  const [word, tone, icon] = STATES[state] ?? [state, "idle", "question"];
  return (
    <span className={`pill ${tone}`}>
      <Icon name={icon} size={12} />
      {word}
    </span>
  );
});
