// A run's attempts, each with how it ended and what it used, and the line that it waits in.
import type { Attempt, Run } from "../api/types";
import { Ago, Link, useNow } from "../components/basics";
import { Card, Fact } from "../components/Card";
import { Pill } from "../components/Pill";
import { formatDuration, formatTime } from "../format";
import { attemptFacts } from "../store/attemptfacts";
import { poolStore, queuedAs } from "../store/pool";
import { expected, formatClock, needsWords } from "../store/poolwords";
import { useStore } from "../store/store";

/** How a run that waits stands in the line. */
export function QueueCard({ run }: { run: Run }) {
  const entry = queuedAs(useStore(poolStore.state), run.id);
  if (entry === null) return null;
  return (
    <Card title="In the line" tools={<Link to="/pool">The pool</Link>}>
      <dl className="facts">
        {entry.position === null ? null : <Fact name="Place">{entry.position}</Fact>}
        <Fact name="Needs">{needsWords(entry.needs)}</Fact>
        <Fact name="Priority">{entry.priority}</Fact>
        <Fact name="Waits since"><Ago at={entry.since} /></Fact>
        <Fact name={entry.state === "pausing" ? "Tried again" : "Should start"}><Start at={entry.starts_at} /></Fact>
      </dl>
    </Card>
  );
}

function Start({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null) return <span className="muted">nobody knows: what it waits for has no time limit</span>;
  return <span title={formatTime(at)}>{expected(at, now)}, at {formatClock(at, now)}</span>;
}

export function AttemptsCard({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <Card title="Attempts" count={attempts.length}>
      <ul className="attempts">
        {attempts.map((each) => (
          <li key={each.number}>
            <span className="muted">{each.number}</span>
            <Pill state={each.state} />
            <span className="grow" />
            <span className="muted">
              {each.started_at !== null && each.ended_at !== null ? formatDuration(each.ended_at - each.started_at) : <Ago at={each.created_at} />}
            </span>
            <Detail attempt={each} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Detail({ attempt }: { attempt: Attempt }) {
  const reason = attempt.exit?.reason ?? "";
  const facts = attemptFacts(attempt);
  if (reason === "" && facts.length === 0) return null;
  return (
    <div className="attempt-detail">
      {reason === "" ? null : <p>{reason}</p>}
      {facts.length === 0 ? null : <p className="muted small">{facts.join(" · ")}</p>}
    </div>
  );
}
