// A run at a glance: its best and last numbers, what it was given, what was run where, and its attempts.
import { type ReactNode, useState } from "react";
import type { Attempt, Environment, Json, MetricSummary, Run } from "../api/types";
import { inWords, typedOf } from "../api/typed";
import { Ago, CopyButton, Link, useNow } from "../components/basics";
import { Card, Fact, Snippet } from "../components/Card";
import { Editable } from "../components/Editable";
import { formatCommand, formatCount, formatDuration, formatMetric, formatTime, formatValue, plural } from "../format";
import { pathOf, setQuery } from "../router";
import { change } from "../store/changes";
import { linkParts } from "../store/links";
import { byName, configOf, durationOf, isMetric } from "../store/columns";
import { AGGREGATES, type Aggregate, aggregateOf, definitionOf } from "../store/metrics";
import { hasEnded } from "../store/runs";
import { AttemptsCard, QueueCard } from "./RunAttempts";
import { AlertsCard, EnvironmentCard, NestedCard, TimelineCard } from "./RunFacts";

interface Props {
  run: Run;
  environment: Environment | null;
  attempts: readonly Attempt[] | null;
  charts: ReactNode;
}

export function RunOverview({ run, environment, attempts, charts }: Props) {
  return (
    <div className="overview">
      <div className="overview-side">
        <QueueCard run={run} />
        <AlertsCard run={run} />
        <NotesCard run={run} />
        <SummaryCard run={run} />
        <ConfigCard run={run} />
        <FactsCard run={run} />
        <NestedCard run={run} />
        <EnvironmentCard run={run} environment={environment} />
        <TimelineCard run={run} />
        {attempts !== null && attempts.length > 0 ? <AttemptsCard attempts={attempts} /> : null}
      </div>
      <div className="overview-charts">{charts}</div>
    </div>
  );
}

function NotesCard({ run }: { run: Run }) {
  return (
    <Card title="Notes">
      <Editable what="the notes" text={run.notes ?? ""} many placeholder="What was tried, and why" className="notes"
        onSave={(notes) => change(run, { notes })}>
        {run.notes ? <span className="notes-text"><Linked text={run.notes} /></span> : <span className="muted">Nothing is noted yet.</span>}
      </Editable>
    </Card>
  );
}

/** A text in which addresses are links. */
function Linked({ text }: { text: string }) {
  return <>{linkParts(text).map(({ text: part, link }, i) => (link
    // eslint-disable-next-line react/no-array-index-key -- the same address may stand twice; its place is what it is
    ? <a key={i} href={part} target="_blank" rel="noreferrer">{part}</a> : part))}</>;
}

function SummaryCard({ run }: { run: Run }) {
  const entries = Object.entries(run.summary).sort(([a], [b]) => byName(a, b));
  const metrics = entries.filter((entry): entry is [string, MetricSummary] => isMetric(entry[1]))
    .filter(([name]) => definitionOf(run, name)?.summary !== "none");
  const others = entries.flatMap(([name, entry]) => ("value" in entry && entry.value !== undefined ? [{ name, ...entry, value: entry.value }] : []));
  if (entries.length === 0) return null;
  return (
    <Card title="Summary" count={metrics.length + others.length}>
      {metrics.length === 0 ? null : (
        <div className="scroll-x">
          <table className="plain numbers">
            <thead>
              <tr><th scope="col">Metric</th>{AGGREGATES.map((each) => <th key={each} scope="col">{TITLES[each]}</th>)}</tr>
            </thead>
            <tbody>{metrics.map(([name, entry]) => <SummaryRow key={name} run={run} name={name} entry={entry} />)}</tbody>
          </table>
        </div>
      )}
      {others.length === 0 ? null : (
        <dl className="facts">
          {others.map(({ name, value, set_at }) => (
            <Fact key={name} name={name}><Other value={value} />{set_at === undefined ? null : <span className="tag set">set</span>}</Fact>
          ))}
        </dl>
      )}
    </Card>
  );
}

const TITLES: Record<Aggregate, string> = { last: "Last", best: "Best", min: "Min", max: "Max", mean: "Mean" };

function SummaryRow({ run, name, entry }: { run: Run; name: string; entry: MetricSummary }) {
  const definition = definitionOf(run, name);
  const goal = definition?.goal ?? null;
  return (
    <tr>
      <th scope="row" title={name}>{name}
        {goal === null ? null : <span className="goal" title={`${goal} it`}>{goal === "maximize" ? "↑" : "↓"}<span className="unseen"> ({goal})</span></span>}
        {entry.nan_count > 0
          ? <span className="tag warn" title={`${formatCount(entry.nan_count)} values were no numbers`}>NaN</span> : null}
      </th>
      {AGGREGATES.map((each) => {
        const found = aggregateOf(entry, each, goal);
        if (found === null) return <td key={each} className="faint" title="No goal is known: define one, minimize or maximize">–</td>;
        const at = found.step === null ? `of ${plural(entry.count - entry.nan_count, "value")}` : `at step ${formatCount(found.step)}`;
        return <td key={each} title={at} className={definition?.summary === each ? "headline" : undefined}>{formatMetric(found.value)}</td>;
      })}
    </tr>
  );
}

/** A string as it is; a typed value in words, and the way to see it. */
function Other({ value }: { value: Json }) {
  const typed = typeof value === "object" ? typedOf(value) : null;
  if (typed === null) return <>{formatValue(value)}</>;
  return <button type="button" className="text-button" onClick={() => setQuery({ tab: "media" })}>{inWords(typed)}</button>;
}

function ConfigCard({ run }: { run: Run }) {
  const [search, setSearch] = useState("");
  const all = [...configOf(run)].sort(([a], [b]) => byName(a, b));
  const found = all.filter(([name]) => name.toLowerCase().includes(search.toLowerCase()));
  return (
    <Card title="Configuration" count={all.length}
      tools={all.length > 0 ? <CopyButton text={JSON.stringify(run.config, null, 2)} label="Copy the configuration as JSON" /> : null}>
      {all.length > 12 ? (
        <input type="search" className="field" aria-label="Find in the configuration" placeholder="Find" value={search}
          onChange={(event) => setSearch(event.target.value)} />
      ) : null}
      {all.length === 0 ? <p className="muted">The run was given no configuration.</p> : null}
      {all.length > 0 && found.length === 0 ? <p className="muted">No name holds “{search}”.</p> : null}
      <dl className="facts mono">
        {found.map(([name, value]) => <Fact key={name} name={name}>{formatValue(value)}</Fact>)}
      </dl>
    </Card>
  );
}

function FactsCard({ run }: { run: Run }) {
  const { exit } = run;
  const command = run.command === null ? null : formatCommand(run.command);
  return (
    <Card title="Details">
      <dl className="facts">
        {exit === null ? null : <Fact name="Exit">{exitText(run)}</Fact>}
        {run.sweep === null ? null : (
          <Fact name="Sweep">
            <Link to={pathOf({ page: "sweep", project: run.project, sweep: run.sweep })}>{run.sweep_name ?? run.sweep}</Link>
          </Fact>
        )}
        {!run.forked_from ? null : (
          <Fact name="Forked from">
            <Link to={pathOf({ page: "run", project: run.project, run: run.forked_from.run })}>{run.forked_from.run}</Link>
            {run.forked_from.step === null ? "" : ` at step ${formatCount(run.forked_from.step)}`}
          </Fact>
        )}
        <Fact name="Created"><span title={formatTime(run.created_at)}><Ago at={run.created_at} /></span></Fact>
        {run.started_at === null ? null : <Fact name="Started">{formatTime(run.started_at)}</Fact>}
        {run.ended_at === null ? null : <Fact name="Ended">{formatTime(run.ended_at)}</Fact>}
        {run.started_at === null ? null : <Fact name="Duration"><Took run={run} /></Fact>}
        <Fact name="Points">{formatCount(run.points)}</Fact>
        {run.host === null ? null : <Fact name="Host">{run.host}{run.pid === null ? "" : `, process ${run.pid}`}</Fact>}
        {run.hardware ? <Fact name="Hardware">{run.hardware}</Fact> : null}
        {run.devices === null || run.devices.length === 0 ? null : <Fact name="Devices">{run.devices.join(", ")}</Fact>}
        {run.python === null ? null : <Fact name="Python">{run.python}</Fact>}
        {run.created_by === null ? null : <Fact name="Created by">{run.created_by}</Fact>}
        {run.group === null ? null : <Fact name="Group">{run.group}</Fact>}
        {run.job_type === null ? null : <Fact name="Job type">{run.job_type}</Fact>}
        {run.archived_at == null ? null : <Fact name="Archived"><Ago at={run.archived_at} /></Fact>}
        {run.locked_at == null ? null : <Fact name="Locked"><Ago at={run.locked_at} /></Fact>}
        <Fact name="Id"><code>{run.id}</code><CopyButton text={run.id} label="Copy the id" /></Fact>
      </dl>
      {command === null ? null : <Snippet title="Command" text={command} />}
      {run.workdir === null ? null : <Snippet title="Working directory" text={run.workdir} />}
      {run.run_dir === null ? null : <Snippet title="Results" text={run.run_dir} />}
    </Card>
  );
}

function Took({ run }: { run: Run }) {
  return hasEnded(run.state) ? <>{formatDuration(durationOf(run, 0) ?? 0)}</> : <Growing run={run} />;
}

function Growing({ run }: { run: Run }) {
  return <>{formatDuration(durationOf(run, useNow()) ?? 0)}, and it goes on</>;
}

function exitText({ exit }: Run): string {
  if (exit === null) return "";
  if (exit.signal !== null) return `ended by signal ${exit.signal}`;
  return exit.code === null ? "no exit code" : `code ${exit.code}`;
}
