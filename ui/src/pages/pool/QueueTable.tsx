// The line: who waits for what, why, and until when, with what can be done about it.
import { useState } from "react";
import { mayRun } from "../../api/client";
import type { Pool, QueueEntry } from "../../api/types";
import { Ago, IconButton, useNow, usePhone } from "../../components/basics";
import { Icon } from "../../components/Icon";
import { QueueDialog } from "../../components/QueueActions";
import { Table, type TableColumn } from "../../components/Table";
import { formatCount, formatTime } from "../../format";
import { useKeys } from "../../keys";
import { navigate, pathOf } from "../../router";
import { moveInLine } from "../../store/poolchanges";
import { expected, findQueued, formatClock, needsWords } from "../../store/poolwords";
import { RunName } from "./RunName";

const FIND_FROM = 12; // of fewer none has to be looked for

const keyOf = (entry: QueueEntry): string => `${entry.run ?? `hidden ${entry.since} ${entry.position}`}#${entry.attempt}`;

export function QueueTable({ pool }: { pool: Pool }) {
  const phone = usePhone();
  const [find, setFind] = useState("");
  const [active, setActive] = useState<string | null>(null);
  const [asking, setAsking] = useState<QueueEntry | null>(null);
  const { queue, totals } = pool;
  const rows = findQueued(queue, find);
  const chosen = rows.find((entry) => keyOf(entry) === active) ?? null;
  const step = (by: number) => {
    const at = rows.findIndex((entry) => keyOf(entry) === active);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) setActive(keyOf(next));
  };
  const open = (entry: QueueEntry) => {
    if (entry.run !== null && entry.project !== null) navigate(pathOf({ page: "run", project: entry.project, run: entry.run }));
  };
  const move = (to: "front" | "back") => () => {
    if (chosen && mayRun()) void moveInLine(chosen, to);
  };
  useKeys([
    { key: "j", does: "next in the line", run: () => step(1) },
    { key: "k", does: "previous in the line", run: () => step(-1) },
    { key: "Enter", does: "open the run that waits", run: () => chosen && open(chosen) },
    ...(mayRun() ? [
      { key: "t", does: "move it to the front", run: move("front") },
      { key: "e", does: "move it to the end", run: move("back") },
    ] : []),
  ]);
  if (queue.length === 0) return <p className="quiet-note">{totals.waiting > 0 ? "Those who wait are not shown to this token." : "Nobody waits."}</p>;
  const more = (entry: QueueEntry) => (entry.run === null || !mayRun() ? null : (
    <IconButton icon="more" label={`${entry.run_name}: more`} className="small" onClick={() => setAsking(entry)} />
  ));
  const actions = (entry: QueueEntry) => (entry.run === null || !mayRun() ? null : (
    <span className="row-actions">
      <IconButton icon="top" label={`${entry.run_name}: to the front`} className="small" onClick={() => void moveInLine(entry, "front")} />
      <IconButton icon="download" label={`${entry.run_name}: to the back`} className="small" onClick={() => void moveInLine(entry, "back")} />
      {more(entry)}
    </span>
  ));
  const place = (entry: QueueEntry) => (entry.position === null
    ? <span className="muted" title={entry.state === "pausing" ? "It pauses before the next try" : "It is held back"}><Icon name="pause" size={13} /></span>
    : formatCount(entry.position));
  const columns: TableColumn<QueueEntry>[] = phone ? [
    {
      id: "run", width: 290, head: "Who waits, and why",
      cell: (entry) => (
        <div className="stacked">
          <span className="stacked-head"><strong>{place(entry)}</strong><RunName {...entry} /></span>
          <span className="small muted two-lines">{entry.reason}</span>
          <span className="small"><Starts entry={entry} /></span>
        </div>
      ),
    },
    { id: "do", width: 52, align: "right", head: <span className="unseen">Actions</span>, cell: more },
  ] : [
    { id: "position", width: 58, align: "right", head: "Place", cell: place },
    { id: "run", width: 220, head: "Run", cell: (entry) => <RunName {...entry} /> },
    { id: "needs", width: 170, head: "Needs", cell: ({ needs }) => <span className="two-lines">{needsWords(needs)}</span> },
    { id: "priority", width: 74, align: "right", head: "Priority", cell: ({ priority }) => priority },
    { id: "why", width: 430, head: "Why it waits", cell: ({ reason }) => <span className="two-lines" title={reason}>{reason}</span> },
    { id: "since", width: 104, head: "Waits since", cell: ({ since }) => <Ago at={since} /> },
    { id: "starts", width: 170, head: "Starts", cell: (entry) => <Starts entry={entry} /> },
    ...(mayRun() ? [{ id: "do", width: 108, align: "right" as const, head: <span className="unseen">Actions</span>, cell: actions }] : []),
  ];
  return (
    <>
      {queue.length < FIND_FROM ? null : (
        <input type="search" className="field queue-find" aria-label="Find in the line" placeholder="Find in the line" value={find}
          onChange={(event) => setFind(event.target.value)} />
      )}
      {rows.length === 0 ? <p className="quiet-note">Nobody in the line holds “{find}”.</p> : (
        <div className="pool-table">
          <Table label="Who waits" rows={rows} columns={columns} keyOf={keyOf} rowHeight={phone ? 104 : 48} active={active} onOpen={open} />
        </div>
      )}
      {totals.waiting > queue.length ? <p className="muted small">The first {formatCount(queue.length)} of {formatCount(totals.waiting)} are listed.</p> : null}
      {asking === null ? null : <QueueDialog entry={queue.find((entry) => entry.run === asking.run) ?? asking} onClose={() => setAsking(null)} />}
    </>
  );
}

function Starts({ entry: { starts_at } }: { entry: QueueEntry }) {
  const now = useNow();
  if (starts_at === null) return <span className="faint">not known</span>;
  return <span title={formatTime(starts_at)}>{expected(starts_at, now)}{starts_at - now > 60e6 ? <span className="muted">, {formatClock(starts_at, now)}</span> : null}</span>;
}
