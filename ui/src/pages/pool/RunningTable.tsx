// Who holds what now, as a table: also for those who cannot see the lanes.
import { useState } from "react";
import { api, mayRun } from "../../api/client";
import type { Holding, Pool } from "../../api/types";
import { Ago, Button, IconButton, useNow, usePhone } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Pill } from "../../components/Pill";
import { Table, type TableColumn } from "../../components/Table";
import { attempt } from "../../components/Toast";
import { formatTime } from "../../format";
import { expected, needsWords } from "../../store/poolwords";
import { MakeRoom } from "../../components/MakeRoom";
import { RunName } from "./RunName";

export function RunningTable({ pool }: { pool: Pool }) {
  const phone = usePhone();
  const [asking, setAsking] = useState<{ what: "stop" | "room"; holding: Holding } | null>(null);
  if (pool.running.length === 0) return <p className="quiet-note">Nothing runs at the moment.</p>;
  const devices = (holding: Holding) => (holding.devices.length === 0 ? "CPU" : `GPU ${holding.devices.join(", ")}`);
  const state = (holding: Holding) => (holding.asked === "stop" ? <span className="pill warn">asked to stop</span>
    : holding.asked === "makeRoom" ? <span className="pill warn">making room</span> : <Pill state={holding.state} />);
  const actions = (holding: Holding) => (holding.run === null || !mayRun() ? null : (
    <span className="row-actions">
      <IconButton icon="out" label={`${holding.run_name}: make room…`} className="small" onClick={() => setAsking({ what: "room", holding })} />
      <IconButton icon="stop" label={`${holding.run_name}: stop…`} className="small" onClick={() => setAsking({ what: "stop", holding })} />
    </span>
  ));
  const columns: TableColumn<Holding>[] = phone ? [
    {
      id: "run", width: 240, head: "Run",
      cell: (holding) => (
        <div className="stacked">
          <RunName {...holding} />
          <span className="small muted">{devices(holding)} · <Ago at={holding.since} /></span>
        </div>
      ),
    },
    { id: "do", width: 100, align: "right", head: <span className="unseen">Actions</span>, cell: actions },
  ] : [
    { id: "run", width: 260, head: "Run", cell: (holding) => <RunName {...holding} /> },
    { id: "state", width: 130, head: "State", cell: state },
    { id: "devices", width: 120, head: "Holds", cell: devices },
    { id: "needs", width: 220, head: "Needs", cell: ({ needs }) => <span title={needsWords(needs)}>{needsWords(needs)}</span> },
    { id: "priority", width: 76, align: "right", head: "Priority", cell: ({ priority }) => priority },
    { id: "attempt", width: 76, align: "right", head: "Attempt", cell: ({ attempt: number }) => number },
    { id: "since", width: 110, head: "Since", cell: ({ since }) => <Ago at={since} /> },
    { id: "end", width: 150, head: "Ends", cell: ({ expected_end }) => <End at={expected_end} /> },
    ...(mayRun() ? [{ id: "do", width: 92, align: "right" as const, head: <span className="unseen">Actions</span>, cell: actions }] : []),
  ];
  const close = () => setAsking(null);
  return (
    <div className="pool-table">
      <Table label="Who runs" rows={pool.running} columns={columns} keyOf={(each) => `${each.run ?? each.since}#${each.attempt}`}
        rowHeight={phone ? 64 : 44} />
      {asking?.what === "room" ? <MakeRoom run={asking.holding.run!} name={asking.holding.run_name ?? ""} onClose={close} /> : null}
      {asking?.what === "stop" ? <StopHolder holding={asking.holding} onClose={close} /> : null}
    </div>
  );
}

function End({ at }: { at: number | null }) {
  const now = useNow();
  return at === null ? <span className="faint">not known</span> : <span title={formatTime(at)}>{expected(at, now)}</span>;
}

function StopHolder({ holding: { run, run_name }, onClose }: { holding: Holding; onClose: () => void }) {
  const stop = () => {
    onClose();
    void attempt(() => api.stopRun(run!), `${run_name} was asked to stop.`);
  };
  return (
    <Dialog title={`Stop ${run_name}?`} onClose={onClose}>
      <p>It is asked to end, and killed when its grace period is over. What it has logged stays.</p>
      <footer className="dialog-foot">
        <Button onClick={onClose}>Let it run</Button>
        <Button tone="danger" icon="stop" onClick={stop}>Stop it</Button>
      </footer>
    </Dialog>
  );
}
