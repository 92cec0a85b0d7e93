// The table of a project's runs: which are drawn, what they were given, and what came out.
import { type ReactNode, useMemo } from "react";
import type { ChartBus } from "../charts/bus";
import type { Run } from "../api/types";
import { COLOURS } from "../charts/palette";
import { Ago, Link, useNow } from "../components/basics";
import { columnTitle } from "../components/ColumnPicker";
import { Editable } from "../components/Editable";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { SortButton } from "../components/SortButton";
import { Table, type TableColumn } from "../components/Table";
import { Tags } from "../components/Tags";
import { formatCount, formatDuration, plural } from "../format";
import { pathOf } from "../router";
import { slots } from "../store/colours";
import { change } from "../store/changes";
import { type Column, cellText, columnId, durationOf, metricStep } from "../store/columns";
import { AGGREGATES, type Aggregate } from "../store/metrics";
import type { RunRow } from "../store/nests";
import { hasEnded } from "../store/runs";
import type { Sort } from "../store/sorting";
import { useStore } from "../store/store";

interface Props {
  rows: readonly RunRow[];
  /** Those of the rows. */
  runs: readonly Run[];
  runOf: (id: string) => Run | undefined;
  /** Opens or closes what is nested in a run. */
  onNest: (run: string) => void;
  /** More of what is nested in it is wanted. */
  onRest: (run: string) => void;
  columns: readonly Column[];
  /** Which number of a metric its column shows. */
  aggregateFor: (metric: string) => Aggregate;
  sort: Sort;
  shown: ReadonlySet<string>;
  active: string | null;
  /** The run whose name is to be changed, and how often that was asked. */
  renaming: { run: string; asked: number } | null;
  phone: boolean;
  bus: ChartBus;
  onSort: (by: string) => void;
  onAggregate: (metric: string, aggregate: Aggregate) => void;
  onToggle: (run: string) => void;
  onToggleAll: () => void;
  onOpen: (run: Run) => void;
  /** The runs that are chosen to be worked on; null: none can be chosen now. */
  selected: ReadonlySet<string> | null;
  /** `range`: all from the one chosen before to this one. */
  onSelect: (run: string, range: boolean) => void;
  onSelectAll: () => void;
  /** The end of the table is near. */
  onEnd: () => void;
  /** The rows answer an older question. */
  stale: boolean;
}

export function RunsTable(props: Props) {
  const { columns, aggregateFor, sort, shown, phone, onToggle, bus, selected, onSelect } = props;
  const version = useStore(slots.version);
  const header = (by: string, title: string) => (
    <SortButton title={title} by={by} sort={sort} onSort={props.onSort} />
  );
  const sorted = (by: string) => (sort.by !== by ? "none" : sort.descending ? "descending" : "ascending");
  const allShown = props.runs.length > 0 && props.runs.every((run) => shown.has(run.id));

  const nested = props.rows.some((row) => row.kind === "rest" || row.isOpen !== null);
  const deepest = props.rows.reduce((most, { depth }) => Math.max(most, depth), 0);
  const first: TableColumn<RunRow>[] = [
    selected !== null ? {
      id: "selected", width: 56, frozen: true,
      head: <input type="checkbox" aria-label="Select all runs" onChange={props.onSelectAll}
        checked={props.runs.length > 0 && props.runs.every((run) => selected.has(run.id))} />,
      cell: ofRun((run) => (
        <input type="checkbox" className="select-box" aria-label={`Select ${run.name}`} checked={selected.has(run.id)}
          onChange={(event) => onSelect(run.id, (event.nativeEvent as MouseEvent).shiftKey)} />
      )),
    } : {
      id: "shown", width: 56, frozen: true,
      head: <input type="checkbox" aria-label="Show all runs in the charts" checked={allShown} onChange={props.onToggleAll} />,
      cell: ofRun((run) => (
        <span className="show-cell">
          <input type="checkbox" aria-label={`Show ${run.name} in the charts`} checked={shown.has(run.id)}
            onChange={() => onToggle(run.id)} />
          <span className={`swatch line-${slots.of(run) % COLOURS}`} />
        </span>
      )),
    },
    {
      id: "name", width: (phone ? 150 : 190) + (nested ? 22 : 0) + Math.min(deepest, 4) * INDENT, frozen: !phone,
      sorted: sorted("name"), head: header("name", "Run"),
      cell: (row) => (row.kind === "rest" ? <Rest row={row} onRest={props.onRest} /> : <NameCell row={row} nested={nested} {...props} />),
    },
  ];
  if (!phone) {
    first.push({
      id: "state", width: 124, sorted: sorted("state"), head: header("state", "State"),
      cell: ofRun((run) => <Pill state={run.state} />),
    });
  }
  // A phone has room for two numbers; the run's page has the rest.
  const chosen = phone ? columns.filter(({ kind }) => kind === "metric").slice(0, 2) : columns;
  const rest = chosen.map((column) => valueColumn(column, { sort, phone, aggregateFor, onSort: props.onSort, onAggregate: props.onAggregate },
    (row: RunRow, aggregate) => (row.kind === "run" ? <Cell run={row.run} column={column} aggregate={aggregate} /> : null)));

  const stamp = useMemo(() => {
    const all = [version, phone, nested, JSON.stringify(props.renaming)].join();
    return ({ key }: RunRow) => `${all}${selected === null ? shown.has(key) : `s${selected.has(key)}`}`;
  }, [version, phone, nested, shown, selected, props.renaming]);

  return (
    <Table label="Runs" rows={props.rows} columns={[...first, ...rest]} keyOf={({ key }) => key}
      rowHeight={phone ? 52 : 32} active={props.active} stamp={stamp} onEnd={props.onEnd}
      onOpen={(row) => row.kind === "run" && props.onOpen(row.run)} stale={props.stale}
      onHover={(row) => bus.point(null, row && shown.has(row.key) ? row.key : null)} />
  );
}

const INDENT = 14; // pixels by which each level stands further to the right

/** A cell of rows that are runs. */
const ofRun = (cell: (run: Run) => ReactNode) => (row: RunRow): ReactNode => (row.kind === "run" ? cell(row.run) : null);

/** A run's name, with what opens and closes what is nested in it, or where it is nested itself. */
function NameCell({ row, nested, phone, renaming, runOf, onNest }: {
  row: RunRow & { kind: "run" };
  /** There is something to be opened in the table: names stand below each other with and without it. */
  nested: boolean;
} & Pick<Props, "phone" | "renaming" | "runOf" | "onNest">) {
  const { run, depth, isOpen, isAlone } = row;
  return (
    <span className="nest-cell" style={{ paddingLeft: depth * INDENT }}>
      {isOpen !== null ? (
        <button type="button" className="nest-toggle" aria-expanded={isOpen} onClick={() => onNest(run.id)}
          aria-label={`Nested in ${run.name}: ${plural(run.children ?? 0, "run")}`} title={plural(run.children ?? 0, "nested run")}>
          <Icon name={isOpen ? "chevron" : "right"} size={14} />
        </button>
      ) : isAlone && run.parent ? <Above run={run} parent={run.parent} name={runOf(run.parent)?.name ?? run.parent} />
        : nested ? <span className="nest-gap" /> : null}
      <span className="nest-name">
        <Editable what={`the name of ${run.name}`} text={run.name} onSave={(name) => change(run, { name })} className="name-cell"
          asked={renaming?.run === run.id ? renaming.asked : 0}>
          <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={run.name}>
            {run.name}
          </Link>
          {run.locked_at == null ? null : <span className="locked" title="locked"><Icon name="lock" size={12} /><span className="unseen">locked</span></span>}
        </Editable>
        {phone ? <Pill state={run.state} /> : null}
      </span>
    </span>
  );
}

/** The way to the run that a run is nested in, where that does not stand above it. */
function Above({ run, parent, name }: { run: Run; parent: string; name: string }) {
  return (
    <Link to={pathOf({ page: "run", project: run.project, run: parent })} className="nest-above" title={`Part of ${name}`}>
      <Icon name="nested" size={13} /><span className="unseen">{run.name} is part of {name}</span>
    </Link>
  );
}

/** Below an open run: that its runs are being read, that there are more, or that none is in this list. */
function Rest({ row: { parent, depth, state, left }, onRest }: { row: RunRow & { kind: "rest" }; onRest: (run: string) => void }) {
  return (
    <span className="nest-cell small muted" style={{ paddingLeft: depth * INDENT + 22 }}>
      {state === "reading" ? "reading…" : state === "none" ? "none of them is in this list"
        : <button type="button" className="text-button" onClick={() => onRest(parent.id)}>{formatCount(left)} more…</button>}
    </span>
  );
}

interface Heads {
  sort: Sort;
  phone: boolean;
  aggregateFor: (metric: string) => Aggregate;
  onSort: (by: string) => void;
  onAggregate: (metric: string, aggregate: Aggregate) => void;
}

/** A column of values under its head: a metric's with the choice of which of its numbers is shown. */
export function valueColumn<Row>(column: Column, heads: Heads, cell: (row: Row, aggregate: Aggregate) => ReactNode): TableColumn<Row> {
  const by = columnId(column);
  const aggregate = heads.aggregateFor(column.name);
  const title = columnTitle(column);
  const numeric = column.kind !== "field" || column.name === "step" || column.name === "duration";
  const sorted = heads.sort.by !== by ? "none" : heads.sort.descending ? "descending" : "ascending";
  const wide = column.kind === "field" && (column.name === "tags" || column.name === "notes");
  // The server orders by everything but these.
  const head = column.kind === "field" && ["step", "tags", "notes"].includes(column.name) ? <span className="plain-head">{title}</span>
    : <SortButton title={title} by={by} sort={heads.sort} onSort={heads.onSort} />;
  return {
    id: by + (column.kind === "metric" ? aggregate : ""),
    width: heads.phone ? 82 : wide ? 190 : Math.min(170, Math.max(84, title.length * 7 + 28)),
    align: numeric ? "right" : "left",
    sorted,
    head: column.kind === "metric" ? (
      <span className="metric-head">
        {head}
        <select aria-label={`Which ${title}`} className="aggregate" value={aggregate}
          onChange={(event) => heads.onAggregate(column.name, event.target.value as Aggregate)}>
          {AGGREGATES.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
      </span>
    ) : head,
    cell: (row) => cell(row, aggregate),
  };
}

export function Cell({ run, column, aggregate }: { run: Run; column: Column; aggregate: Aggregate }) {
  if (column.kind === "field" && column.name === "created") return <Ago at={run.created_at} />;
  if (column.kind === "field" && column.name === "started") return <Ago at={run.started_at} />;
  if (column.kind === "field" && column.name === "ended") return <Ago at={run.ended_at} />;
  if (column.kind === "field" && column.name === "duration") return <Duration run={run} />;
  if (column.kind === "field" && column.name === "tags") return <Tags run={run} />;
  if (column.kind === "field" && column.name === "notes") {
    return (
      <Editable what={`the notes of ${run.name}`} text={run.notes ?? ""} onSave={(notes) => change(run, { notes })} className="name-cell">
        <span className="clip" title={run.notes ?? ""}>{run.notes ?? <span className="faint">–</span>}</span>
      </Editable>
    );
  }
  if (column.kind === "field" && column.name === "sweep" && run.sweep !== null) {
    return (
      <Link to={pathOf({ page: "sweep", project: run.project, sweep: run.sweep })} className="quiet-link">
        {run.sweep_name ?? run.sweep}
      </Link>
    );
  }
  const text = cellText(run, column, aggregate);
  if (text === "") return <span className="faint">–</span>;
  const step = column.kind === "metric" ? metricStep(run, column.name, aggregate) : null;
  return <span title={step === null ? text : `${text} at step ${formatCount(step)}`}>{text}</span>;
}

function Duration({ run }: { run: Run }) {
  return hasEnded(run.state) ? <>{text(durationOf(run, 0))}</> : <Growing run={run} />;
}

function Growing({ run }: { run: Run }) {
  return <>{text(durationOf(run, useNow()))}</>;
}

const text = (duration: number | null) => (duration === null ? "–" : formatDuration(duration));
