// The sweeps of a project: how far each is, and the best it has found.
import { useEffect } from "react";
import type { Sweep } from "../api/types";
import { Ago, Empty, Failure, Link, Skeleton } from "../components/basics";
import { FirstRun } from "../components/FirstRun";
import { Pill } from "../components/Pill";
import { SweepProgress } from "../components/SweepProgress";
import { formatMetric, plural, toNumber } from "../format";
import { pathOf } from "../router";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { SweepsStore } from "../store/sweeps";

export function SweepsPage({ project }: { project: string }) {
  const store = useOwned(() => new SweepsStore(project, (sweep) => sweep.project === project), [project]);
  useEffect(() => {
    document.title = `Sweeps · ${project} · Martlet`;
  }, [project]);
  return store ? <List key={project} project={project} store={store} /> : null;
}

function List({ project, store }: { project: string; store: SweepsStore }) {
  const { sweeps, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  if (sweeps.length === 0) {
    if (error) return <div className="page"><Failure error={error} retry={store.follow.read} /></div>;
    if (!complete) return <div className="page"><Skeleton rows={6} label="Reading the sweeps" /></div>;
    return (
      <div className="page narrow">
        <Empty icon="sweeps" title={`No sweeps in ${project} yet`}>A sweep tries many parameters and ranks what came out.</Empty>
        <FirstRun project={project} />
      </div>
    );
  }
  return (
    <div className="page">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      <h1 className="list-title">Sweeps <span className="count">{sweeps.length}</span></h1>
      <div className="sweep-cards">{sweeps.map((sweep) => <SweepCard key={sweep.id} sweep={sweep} />)}</div>
    </div>
  );
}

function SweepCard({ sweep }: { sweep: Sweep }) {
  return (
    <article className="card sweep-card">
      <header>
        <Link to={pathOf({ page: "sweep", project: sweep.project, sweep: sweep.id })} className="card-title">{sweep.name}</Link>
        <Pill state={sweep.state} />
        <span className="grow" />
        <span className="muted small"><Ago at={sweep.created_at} /></span>
      </header>
      <SweepProgress sweep={sweep} />
      <p className="small sweep-card-foot">
        <span className="muted">{sweep.method} over {plural(sweep.parameters.length, "parameter")}</span>
        {sweep.best === null ? null : (
          <span>best {sweep.metric?.name} <strong>{formatMetric(toNumber(sweep.best.objective))}</strong>{" "}
            <Link to={pathOf({ page: "run", project: sweep.project, run: sweep.best.run })} className="run-link">{sweep.best.run_name}</Link>
          </span>
        )}
      </p>
    </article>
  );
}
