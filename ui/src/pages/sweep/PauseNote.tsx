// Why a sweep is paused; after failures in a row, the first of them as it was told, and the way to its output.
import { tracking } from "../../api/tracking";
import type { Sweep, Trial } from "../../api/types";
import { Failure, Link } from "../../components/basics";
import { Icon } from "../../components/Icon";
import { pathOf } from "../../router";
import { spans } from "../../store/ansi";
import { useOnce } from "../../store/once";
import { ended, pauseReason } from "../../store/poolwords";
import { firstFailure } from "../../store/sweeps";

export function PauseNote({ sweep, trials }: { sweep: Sweep; trials: readonly Trial[] }) {
  if (sweep.state !== "paused") return null;
  const { what, first } = pauseReason(sweep.state_reason);
  const failed = first === null ? null : firstFailure(trials, first);
  return (
    <section className="pause-note" aria-label="Paused">
      <Icon name="pause" size={18} />
      <div className="pause-text">
        <p><strong>Paused.</strong> {what === "" ? "No new trial starts." : ended(what)}
          {sweep.counts.running > 0 ? " Trials that run go on to their end." : ""}</p>
        {first === null ? null : <pre className="traceback">{first}</pre>}
        {failed?.run ? <Output sweep={sweep} run={failed.run} name={failed.run_name ?? failed.run} /> : null}
      </div>
    </section>
  );
}

const LINES = 30; // of stderr, from its end

/** The end of what the first failure wrote: mostly the traceback. */
function Output({ sweep, run, name }: { sweep: Sweep; run: string; name: string }) {
  const { value, error, again } = useOnce(async (signal) => {
    const { items } = await tracking.lines(run, { attempt: null, stream: "stderr", from: -LINES, count: LINES }, signal);
    return items.map((line) => spans(line.text).map(({ text }) => text).join("")).join("\n");
  }, run);
  const text = value?.trimEnd() ?? "";
  return (
    <>
      {error ? <Failure error={error} retry={again} /> : null}
      {text === "" ? null : (
        <details className="traceback-more" open>
          <summary>What {name} wrote to stderr</summary>
          <pre className="traceback">{text}</pre>
        </details>
      )}
      <p><Link to={`${pathOf({ page: "run", project: sweep.project, run })}?tab=logs`}>The output of {name}</Link></p>
    </>
  );
}
