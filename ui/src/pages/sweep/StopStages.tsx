// Trials that were asked to end: how far that is, in stages. Asked, then the grace period, then killed.
import { useMemo } from "react";
import { api } from "../../api/client";
import type { Sweep, Trial } from "../../api/types";
import { useNow } from "../../components/basics";
import { Icon } from "../../components/Icon";
import { formatDuration, plural } from "../../format";
import { useOnce } from "../../store/once";
import { poolStore } from "../../store/pool";
import { useStore } from "../../store/store";
import { type StopTimes, stopStage } from "../../store/stops";

const MOST = 20; // trials whose attempts are asked for the times

export function StopStages({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  const pool = useStore(poolStore.state);
  const asked = useMemo(() => {
    const own = new Set(trials.flatMap(({ run, ended_at }) => (run !== null && ended_at === null ? [run] : [])));
    return (pool?.running ?? []).flatMap(({ run, asked: how }) => (how === "stop" && run !== null && own.has(run) ? [run] : []));
  }, [pool, trials]);
  if (asked.length === 0) return null;
  const killed = trials.filter(({ run_state }) => run_state === "killed").length;
  return <Stages key={sweep.id} runs={asked} killed={killed} />;
}

function Stages({ runs, killed }: { runs: readonly string[]; killed: number }) {
  const now = useNow();
  const { value } = useOnce(async (signal): Promise<StopTimes[]> => {
    const all = await Promise.all(runs.slice(0, MOST).map((run) => api.attempts(run, signal)));
    return all.flatMap(({ items }) => items.slice(-1).map((last) => ({ asked: last.stop_requested_at ?? null, kill: last.kill_at ?? null })));
  }, runs.join());
  const { asked, kill, stage } = stopStage(value ?? [], now);
  return (
    <section className="stop-stages" aria-label="Stopping">
      <p><strong>{plural(runs.length, "trial")} {runs.length === 1 ? "is" : "are"} ending.</strong></p>
      <ol>
        <li data-done="">
          <Icon name="check" size={14} />
          Asked to end{asked === null ? "" : ` ${formatDuration(now - asked)} ago`}
        </li>
        <li aria-current={stage === "asked" ? "step" : undefined} data-done={stage === "killed" ? "" : undefined}>
          <Icon name={stage === "killed" ? "check" : "clock"} size={14} />
          {kill === null ? "Grace period" : stage === "killed" ? "Grace period over" : `Grace period: ${formatDuration(kill - now)} left`}
        </li>
        <li aria-current={stage === "killed" ? "step" : undefined}>
          <Icon name="cross" size={14} />{stage === "killed" ? "Being killed with all they started" : "Killed, if they have not ended by then"}
        </li>
      </ol>
      {killed > 0 ? <p className="small muted">{plural(killed, "trial")} of this sweep {killed === 1 ? "was" : "were"} killed.</p> : null}
    </section>
  );
}
