// What surrounds a run: its alerts, the runs above and below it, what it ran on, its code, and what happened to it when.
import { api } from "../api/client";
import { tracking } from "../api/tracking";
import type { Environment, Run } from "../api/types";
import { Ago, Button, CopyButton, Failure, Link } from "../components/basics";
import { Card, Fact, Snippet } from "../components/Card";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { formatBytes, formatCount, formatTime, plural } from "../format";
import { pathOf, setQuery } from "../router";
import { alikeGPUs } from "../store/environment";
import { eventWords } from "../store/events";
import { useOften, useOnce } from "../store/once";
import { hasEnded } from "../store/runs";

/** Moves with what a run's events, alerts and relatives hang on, so that they are read again. */
const stampOf = (run: Run): string =>
  [run.id, run.state, run.name, run.project, run.archived_at, run.locked_at, run.deleted_at, run.tags.length, run.attempts, run.parent].join("\n");

const LEVELS = { info: ["idle", "bell"], warn: ["warn", "bell"], error: ["bad", "bolt"] } as const;

export function AlertsCard({ run }: { run: Run }) {
  const { value, error, again } = useOnce((signal) => tracking.alerts(run.id, signal), `${run.id} ${run.state}`);
  useOften(again, !hasEnded(run.state));
  if (error) return <Failure error={error} retry={again} />;
  if (value === null || value.items.length === 0) return null;
  return (
    <Card title="Alerts" count={value.items.length}>
      <ul className="alerts">
        {value.items.map((alert) => {
          const [tone, icon] = LEVELS[alert.level] ?? LEVELS.info;
          return (
            <li key={alert.id}>
              <span className={`pill ${tone}`}><Icon name={icon} size={12} />{alert.level}</span>
              <span className="grow"><strong>{alert.title}</strong>{alert.text ? <span className="muted"> {alert.text}</span> : null}</span>
              <span className="muted small"><Ago at={alert.at} /></span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

export function NestedCard({ run }: { run: Run }) {
  const parent = run.parent ?? null;
  const count = run.children ?? 0;
  const above = useOnce((signal) => (parent === null ? Promise.resolve(null) : api.run(parent, signal)), `${parent}`);
  const below = useOnce(
    (signal) => (count === 0 ? Promise.resolve(null) : tracking.children(run.id, signal)), `${run.id} ${count}`,
  );
  if (parent === null && count === 0) return null;
  return (
    <Card title="Nested runs" {...(count > 0 ? { count } : {})}>
      {parent === null ? null : (
        <p className="nested">Part of{" "}
          <Link to={pathOf({ page: "run", project: above.value?.project ?? run.project, run: parent })}>{above.value?.name ?? parent}</Link>
          {above.value ? <Pill state={above.value.state} /> : null}
        </p>
      )}
      <ul className="attempts">
        {(below.value?.items ?? []).map((child) => (
          <li key={child.id}>
            <Link to={pathOf({ page: "run", project: child.project, run: child.id })} className="run-link">{child.name}</Link>
            <span className="grow" /><Pill state={child.state} />
          </li>
        ))}
      </ul>
      {below.error ? <Failure error={below.error} retry={below.again} /> : null}
    </Card>
  );
}

export function EnvironmentCard({ run, environment }: { run: Run; environment: Environment | null }) {
  const { git } = run;
  const files = useOnce((signal) => tracking.files(run.id, signal), `${run.id} ${run.state}`);
  // The patch and the packages come some seconds after the run has begun.
  useOften(files.again, !hasEnded(run.state));
  const held = new Set(files.value?.items.map(({ path }) => path));
  if (environment === null && !git && held.size === 0) return null;
  const { os, kernel, cpu, memory_bytes, cgroup_memory_bytes, gpus, python, argv, cwd, variables } = environment ?? {};
  const file = (path: string, word: string) => (held.has(path)
    ? <Button icon="file" onClick={() => setQuery({ tab: "files", file: path })}>{word}</Button> : null);
  const cores = cpu ? [cpu.cores ? plural(cpu.cores, "core") : "", cpu.threads ? plural(cpu.threads, "thread") : ""].filter(Boolean).join(", ") : "";
  const names = Object.entries(variables ?? {});
  return (
    <Card title="Environment" tools={environment === null ? null : <CopyButton text={JSON.stringify(environment, null, 2)} label="Copy the environment as JSON" />}>
      <dl className="facts">
        {git?.commit ? (
          <Fact name="Git">
            <code title={git.commit}>{git.commit.slice(0, 10)}</code><CopyButton text={git.commit} label="Copy the commit" />
            {git.branch ? ` on ${git.branch}` : ""}
            {git.dirty ? <span className="tag warn">uncommitted changes</span> : null}
          </Fact>
        ) : null}
        {git?.remote ? <Fact name="Remote"><span className="clip-all">{git.remote}</span></Fact> : null}
        {os || kernel ? <Fact name="System">{[os, kernel].filter(Boolean).join(", ")}</Fact> : null}
        {cpu?.model || cores !== "" ? <Fact name="Processor">{[cpu?.model, cores].filter(Boolean).join(", ")}</Fact> : null}
        {memory_bytes ? (
          <Fact name="Memory">{formatBytes(memory_bytes)}{cgroup_memory_bytes ? `, of which the run may use ${formatBytes(cgroup_memory_bytes)}` : ""}</Fact>
        ) : null}
        {alikeGPUs(gpus ?? []).map(({ name, text }) => <Fact key={name} name={name}>{text}</Fact>)}
        {python?.version ? <Fact name="Python"><span title={python.executable ?? ""}>{python.version}</span></Fact> : null}
        {cwd && cwd !== run.workdir ? <Fact name="Directory"><code>{cwd}</code></Fact> : null}
      </dl>
      {argv && argv.length > 0 && run.command === null ? <Snippet title="Arguments" text={argv.join(" ")} /> : null}
      <div className="inserts">
        {file("diff.patch", "Uncommitted changes")}{file("untracked.txt", "Untracked files")}{file("requirements.txt", "Python packages")}
        {file("conda.yaml", "Conda environment")}
      </div>
      {names.length === 0 ? null : (
        <details className="more-start">
          <summary>{plural(names.length, "variable")} of the environment</summary>
          <dl className="facts mono">{names.map(([name, value]) => <Fact key={name} name={name}>{value}</Fact>)}</dl>
        </details>
      )}
    </Card>
  );
}

export function TimelineCard({ run }: { run: Run }) {
  const { value, error, again } = useOnce((signal) => tracking.events(run.id, null, signal), stampOf(run));
  if (error) return <Failure error={error} retry={again} />;
  if (value === null || value.items.length === 0) return null;
  return (
    <Card title="What happened">
      <ol className="timeline">
        {value.items.map((event, i) => {
          const { title, detail, state } = eventWords(event);
          return (
            <li key={`${event.at}${event.type}${i}`} data-state={state ?? undefined}>
              <span className="timeline-what"><strong>{title}</strong>{event.by ? <span className="muted"> by {event.by}</span> : null}</span>
              <time className="muted small" dateTime={new Date(event.at / 1000).toISOString()}>{formatTime(event.at)}</time>
              {detail === "" ? null : <span className="muted small timeline-detail">{detail}</span>}
            </li>
          );
        })}
      </ol>
      {value.next === null ? null : <p className="muted small">The first {formatCount(value.items.length)} events.</p>}
    </Card>
  );
}
