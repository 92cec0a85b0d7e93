// The sweeps of a project: how far each is, and the best it has found.
import { useEffect } from "react";
import { mayRun } from "../api/client";
import { Button, Empty, Failure, Skeleton } from "../components/basics";
import { FirstRun } from "../components/FirstRun";
import { SweepCard } from "../components/SweepCard";
import { useKeys } from "../keys";
import { navigate, pathOf } from "../router";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { SweepsStore } from "../store/sweeps";

export function SweepsPage({ project }: { project: string }) {
  const store = useOwned(() => new SweepsStore(project), [project]);
  useEffect(() => {
    document.title = `Sweeps · ${project} · Martlet`;
  }, [project]);
  return store ? <List key={project} project={project} store={store} /> : null;
}

function List({ project, store }: { project: string; store: SweepsStore }) {
  const { sweeps, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  const begin = () => navigate(pathOf({ page: "newsweep", project }));
  useKeys(mayRun() ? [{ key: "n", does: "new sweep", run: begin }] : []);
  const button = mayRun() ? <Button icon="plus" tone="primary" onClick={begin}>New sweep</Button> : null;
  if (sweeps.length === 0) {
    if (error) return <div className="page"><Failure error={error} retry={store.follow.read} /></div>;
    if (!complete) return <div className="page"><Skeleton rows={6} label="Reading the sweeps" /></div>;
    return (
      <div className="page narrow">
        <Empty icon="sweeps" title={`No sweeps in ${project} yet`}>
          <p>A sweep tries many parameters and ranks what came out.</p>
          {button}
        </Empty>
        <FirstRun project={project} />
      </div>
    );
  }
  return (
    <div className="page">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      <header className="page-head">
        <h1 className="list-title grow">Sweeps <span className="count">{sweeps.length}</span></h1>
        {button}
      </header>
      <div className="sweep-cards">{sweeps.map((sweep) => <SweepCard key={sweep.id} sweep={sweep} />)}</div>
    </div>
  );
}
