// A project's trash: what was deleted, until when it is kept, and the ways out of it.
import { useState } from "react";
import { mayWrite } from "../api/client";
import type { Run } from "../api/types";
import { Ago, Button, Empty, Failure, IconButton, Link, Skeleton, useNow, usePhone } from "../components/basics";
import { PurgeRuns } from "../components/DeleteRuns";
import { Pill } from "../components/Pill";
import { Table, type TableColumn } from "../components/Table";
import { formatCount, plural } from "../format";
import { pathOf, setQuery } from "../router";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { KEPT, TrashStore, restore } from "../store/trash";

export function TrashPage({ project }: { project: string }) {
  const store = useOwned(() => new TrashStore(project), [project]);
  return store ? <Bin project={project} store={store} /> : null;
}

function Bin({ project, store }: { project: string; store: TrashStore }) {
  const { runs, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  const phone = usePhone();
  const [asking, setAsking] = useState<readonly Run[] | null>(null);
  const may = mayWrite();
  const columns: TableColumn<Run>[] = [
    {
      id: "name", width: phone ? 150 : 260, head: "Run",
      cell: (run) => (
        <>
          <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={run.name}>{run.name}</Link>
          {phone ? <Pill state={run.state} /> : null}
        </>
      ),
    },
    ...(phone ? [] : [
      { id: "state", width: 120, head: "State", cell: (run: Run) => <Pill state={run.state} /> },
      { id: "points", width: 110, align: "right" as const, head: "Points", cell: (run: Run) => formatCount(run.points) },
      { id: "deleted", width: 140, head: "Deleted", cell: (run: Run) => <Ago at={run.deleted_at ?? null} /> },
    ]),
    { id: "kept", width: phone ? 96 : 150, head: phone ? "Kept" : "Kept for", cell: (run) => <Left until={(run.deleted_at ?? 0) + KEPT} /> },
    ...(may ? [{
      id: "do", width: phone ? 92 : 220, head: <span className="unseen">Actions</span>,
      cell: (run: Run) => (
        <span className="row-actions">
          {phone ? <IconButton icon="undo" label={`Restore ${run.name}`} onClick={() => void restore([run])} />
            : <Button icon="undo" onClick={() => void restore([run])} title={`Restore ${run.name}`}>Restore</Button>}
          <IconButton icon="trash" label={`Delete ${run.name} for ever`} onClick={() => setAsking([run])} />
        </span>
      ),
    }] : []),
  ];
  return (
    <div className="page">
      <header className="page-head">
        <div className="page-title">
          <p className="crumbs"><Link to={pathOf({ page: "runs", project })} className="quiet-link">Runs</Link></p>
          <h1>Trash {complete ? <span className="count">{formatCount(runs.length)}</span> : null}</h1>
          <p className="sentence">Deleted runs are kept for 30 days, then they go for ever.</p>
        </div>
        {may && runs.length > 1 ? <Button tone="danger" icon="trash" onClick={() => setAsking(runs)}>Empty</Button> : null}
      </header>
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {runs.length > 0 ? (
        <section className="trash-table" aria-label="Trash">
          <Table label="Deleted runs" rows={runs} columns={columns} keyOf={(run) => run.id} rowHeight={phone ? 56 : 44}
            stamp={() => phone} />
        </section>
      ) : complete ? (
        <Empty icon="trash" title="The trash is empty">
          <p>Runs of {project} that are deleted wait here, in case they are missed.</p>
          <Button onClick={() => setQuery({ trash: null })}>Back to the runs</Button>
        </Empty>
      ) : error ? null : <Skeleton rows={6} label="Reading the trash" />}
      {complete && runs.length > 0 ? <p className="muted small">{plural(runs.length, "run")}. Restoring brings everything back.</p> : null}
      {asking ? <PurgeRuns runs={asking} onClose={() => setAsking(null)} onDone={store.follow.read} /> : null}
    </div>
  );
}

/** How long something is still kept. */
function Left({ until }: { until: number }) {
  const days = Math.ceil((until - useNow()) / 86_400e6);
  return days <= 1 ? <span className="tag warn" title="It goes within a day">1 day</span> : <>{plural(days, "day")}</>;
}
