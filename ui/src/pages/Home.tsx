// Home: what runs now, what went wrong lately, and the projects.
import { useEffect, useMemo } from "react";
import { signOut } from "../api/client";
import type { Alert, Project, Run } from "../api/types";
import { Ago, Empty, Failure, Link, Skeleton, useNow } from "../components/basics";
import { FirstRun } from "../components/FirstRun";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { Sparkline } from "../components/Sparkline";
import { SweepCard } from "../components/SweepCard";
import { formatCount, formatDuration, formatMetric, plural, toNumber } from "../format";
import { pathOf } from "../router";
import { durationOf, isMetric, metricNames } from "../store/columns";
import { splitHidden } from "../store/metrics";
import { SeriesStore } from "../store/series";
import { useOwned } from "../store/owned";
import { OverviewStore } from "../store/overview";
import { useStore } from "../store/store";
import { SweepsStore, sweepHasEnded } from "../store/sweeps";

export function HomePage() {
  const store = useOwned(() => new OverviewStore(), []);
  useEffect(() => {
    document.title = "Martlet";
  }, []);
  return store ? <Overviewed store={store} /> : null;
}

function Overviewed({ store }: { store: OverviewStore }) {
  const overview = useStore(store.state);
  const error = useStore(store.follow.error);
  if (!overview) {
    return <div className="page">{error ? <Failure error={error} retry={store.follow.read} /> : <Skeleton rows={8} />}</div>;
  }
  const { projects, active, trouble, alerts } = overview;
  if (projects.length === 0 && active.length === 0) {
    return (
      <div className="page narrow">
        <Empty icon="book" title="Nothing has run yet">
          Paste one of these into a terminal; it shows here by itself as soon as it logs something.
        </Empty>
        <FirstRun project="first" />
      </div>
    );
  }
  const running = active.filter((run) => run.state === "running" || run.state === "starting");
  const queued = active.filter((run) => run.state === "queued").length;
  const attention = [...active.filter((run) => run.state === "lost"), ...trouble].slice(0, 6);
  return (
    <div className="page">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      <section aria-label="Running now">
        <h2 className="section-title">Running now
          <span className="count">{formatCount(running.length)}</span>
          {queued > 0 ? <span className="muted small">{formatCount(queued)} waiting</span> : null}
        </h2>
        {running.length === 0
          ? <p className="quiet-note">Nothing runs at the moment.</p>
          : <RunCards runs={running.slice(0, MOST_CARDS)} />}
        {running.length > MOST_CARDS ? <p className="muted">and {formatCount(running.length - MOST_CARDS)} more</p> : null}
      </section>
      <RecentSweeps />
      {attention.length > 0 || alerts.length > 0 ? <Attention runs={attention} alerts={alerts} /> : null}
      <section aria-label="Projects">
        <h2 className="section-title">Projects <span className="count">{formatCount(projects.length)}</span></h2>
        <div className="project-cards">{projects.map((project) => <ProjectCard key={project.id} project={project} />)}</div>
      </section>
      <details className="more-start">
        <summary>Start another run</summary>
        <FirstRun project={projects[0]?.name ?? "first"} />
      </details>
      {/* Elsewhere the top bar has it; a phone's is too narrow. */}
      <p className="phone-only"><button type="button" className="text-button" onClick={() => signOut()}>Sign out</button></p>
    </div>
  );
}

/** Sweeps that run, or the one that ran last. */
function RecentSweeps() {
  const store = useOwned(() => new SweepsStore(null), []);
  return store ? <SweepList store={store} /> : null;
}

function SweepList({ store }: { store: SweepsStore }) {
  const { sweeps } = useStore(store.state);
  const error = useStore(store.follow.error);
  const active = sweeps.filter(({ state }) => !sweepHasEnded(state));
  const shown = active.length > 0 ? active.slice(0, 4) : sweeps.slice(0, 1);
  if (error) return <Failure error={error} retry={store.follow.read} />;
  if (shown.length === 0) return null;
  return (
    <section aria-label="Sweeps">
      <h2 className="section-title">{active.length > 0 ? "Sweeps" : "The last sweep"}
        {active.length > 0 ? <span className="count">{formatCount(active.length)}</span> : null}</h2>
      <div className="sweep-cards">{shown.map((sweep) => <SweepCard key={sweep.id} sweep={sweep} withProject />)}</div>
    </section>
  );
}

const MOST_CARDS = 8;

/** The metrics that tell most about a run in a few lines: a validated loss before any other, what is hidden not at all. */
function headlines(run: Run): string[] {
  const rank = (name: string) => (/^(val|valid|validation|test|eval)/i.test(name) ? 0 : 4) +
    (/loss|error/i.test(name) ? 0 : /acc|score|reward|f1|auc/i.test(name) ? 1 : 2);
  return splitHidden([run], metricNames([run])).shown.sort((a, b) => rank(a) - rank(b)).slice(0, 3);
}

function RunCards({ runs }: { runs: readonly Run[] }) {
  const store = useOwned(() => new SeriesStore(() => null), []);
  const ids = runs.map(({ id }) => id).join(".");
  useEffect(() => store?.setRuns(ids.split(".")), [store, ids]);
  return <div className="run-cards">{runs.map((run) => <RunCard key={run.id} run={run} store={store} />)}</div>;
}

function RunCard({ run, store }: { run: Run; store: SeriesStore | null }) {
  const now = useNow();
  const metrics = useMemo(() => {
    return headlines(run).flatMap((name) => {
      const entry = run.summary[name];
      return isMetric(entry) ? [{ name, last: toNumber(entry.last) }] : [];
    });
  }, [run]);
  return (
    <article className="card run-card">
      <header>
        <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link">{run.name}</Link>
        <Pill state={run.state} />
      </header>
      <p className="muted small clip">
        <Link to={pathOf({ page: "runs", project: run.project })} className="quiet-link">{run.project}</Link>
        {" · "}{formatDuration(durationOf(run, now) ?? 0)}
        {run.last_step === null ? null : <> · step {formatCount(run.last_step)}</>}
      </p>
      {store && metrics[0] ? <Sparkline store={store} run={run} metric={metrics[0].name} /> : <div className="sparkline" />}
      <dl className="card-metrics">
        {metrics.map(({ name, last }) => (
          <div key={name}><dt title={name}>{name}</dt><dd>{formatMetric(last)}</dd></div>
        ))}
        {metrics.length === 0 ? <div><dt>nothing logged yet</dt><dd /></div> : null}
      </dl>
    </article>
  );
}

function reason(run: Run): string {
  if (run.state === "lost") return "Nothing is heard from it any more.";
  return run.exit?.reason ?? "No reason was recorded.";
}

function Attention({ runs, alerts }: { runs: readonly Run[]; alerts: readonly Alert[] }) {
  const items = [
    ...runs.map((run) => ({ at: run.ended_at ?? run.last_seen_at ?? run.created_at, item: <TroubledRun key={run.id} run={run} /> })),
    ...alerts.map((alert) => ({ at: alert.at, item: <RaisedAlert key={`alert${alert.id}`} alert={alert} /> })),
  ];
  return (
    <section aria-label="Needs attention">
      <h2 className="section-title">Needs attention</h2>
      <ul className="card list">
        {items.sort((a, b) => b.at - a.at).map(({ item }) => item)}
      </ul>
    </section>
  );
}

function TroubledRun({ run }: { run: Run }) {
  return (
    <li>
      <Pill state={run.state} />
      <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={`${run.name} of ${run.project}`}>{run.name}</Link>
      <span className="muted grow clip" title={run.exit?.reason ?? ""}>{reason(run)}</span>
      <span className="muted"><Ago at={run.ended_at ?? run.last_seen_at ?? run.created_at} /></span>
    </li>
  );
}

function RaisedAlert({ alert }: { alert: Alert }) {
  return (
    <li>
      <span className={`pill ${alert.level === "error" ? "bad" : "warn"}`}><Icon name="bell" size={12} />{alert.level === "error" ? "alert" : "warning"}</span>
      <Link to={pathOf({ page: "run", project: alert.project, run: alert.run })} className="run-link" title={`${alert.run_name} of ${alert.project}`}>{alert.run_name}</Link>
      <span className="muted grow clip" title={`${alert.title} ${alert.text}`}>{alert.title}{alert.text === "" ? "" : `: ${alert.text}`}</span>
      <span className="muted"><Ago at={alert.at} /></span>
    </li>
  );
}

function ProjectCard({ project }: { project: Project }) {
  return (
    <article className="card project-card">
      <header>
        <Link to={pathOf({ page: "runs", project: project.name })} className="card-title">{project.name}</Link>
        {project.running > 0 ? <span className="pill live">{formatCount(project.running)} running</span> : null}
      </header>
      {project.description ? <p className="muted">{project.description}</p> : null}
      <p className="small">
        <Link to={pathOf({ page: "runs", project: project.name })} className="quiet-link">{plural(project.runs, "run")}</Link>
        {" · "}
        <Link to={pathOf({ page: "sweeps", project: project.name })} className="quiet-link">{plural(project.sweeps, "sweep")}</Link>
        {project.last_activity_at === null ? null : <span className="muted"> · <Ago at={project.last_activity_at} /></span>}
      </p>
    </article>
  );
}
