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
import { formatCount, formatDuration } from "../format";
import { pathOf } from "../router";
import { slots } from "../store/colours";
import { change } from "../store/changes";
import { type Column, cellText, columnId, durationOf, metricStep } from "../store/columns";
import { AGGREGATES, type Aggregate } from "../store/metrics";
import { hasEnded } from "../store/runs";
import type { Sort } from "../store/sorting";
import { useStore } from "../store/store";

interface Props {
  runs: readonly Run[];
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

  const first: TableColumn<Run>[] = [
    selected !== null ? {
      id: "selected", width: 56, frozen: true,
      head: <input type="checkbox" aria-label="Select all runs" onChange={props.onSelectAll}
        checked={props.runs.length > 0 && props.runs.every((run) => selected.has(run.id))} />,
      cell: (run) => (
        <input type="checkbox" className="select-box" aria-label={`Select ${run.name}`} checked={selected.has(run.id)}
          onChange={(event) => onSelect(run.id, (event.nativeEvent as MouseEvent).shiftKey)} />
      ),
    } : {
      id: "shown", width: 56, frozen: true,
      head: <input type="checkbox" aria-label="Show all runs in the charts" checked={allShown} onChange={props.onToggleAll} />,
      cell: (run) => (
        <span className="show-cell">
          <input type="checkbox" aria-label={`Show ${run.name} in the charts`} checked={shown.has(run.id)}
            onChange={() => onToggle(run.id)} />
          <span className={`swatch line-${slots.of(run) % COLOURS}`} />
        </span>
      ),
    },
    {
      id: "name", width: phone ? 150 : 190, frozen: !phone, sorted: sorted("name"), head: header("name", "Run"),
      cell: (run) => (
        <>
          <Editable what={`the name of ${run.name}`} text={run.name} onSave={(name) => change(run, { name })} className="name-cell"
            asked={props.renaming?.run === run.id ? props.renaming.asked : 0}>
            <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={run.name}>
              {run.name}
            </Link>
            {run.locked_at == null ? null : <span className="locked" title="locked"><Icon name="lock" size={12} /><span className="unseen">locked</span></span>}
          </Editable>
          {phone ? <Pill state={run.state} /> : null}
        </>
      ),
    },
  ];
  if (!phone) {
    first.push({
      id: "state", width: 124, sorted: sorted("state"), head: header("state", "State"),
      cell: (run) => <Pill state={run.state} />,
    });
  }
  // A phone has room for two numbers; the run's page has the rest.
  const chosen = phone ? columns.filter(({ kind }) => kind === "metric").slice(0, 2) : columns;
  const rest = chosen.map((column) => valueColumn(column, { sort, phone, aggregateFor, onSort: props.onSort, onAggregate: props.onAggregate },
    (run: Run, aggregate) => <Cell run={run} column={column} aggregate={aggregate} />));

  const stamp = useMemo(() => {
    const all = [version, phone, JSON.stringify(props.renaming)].join();
    return (run: Run) => `${all}${selected === null ? shown.has(run.id) : `s${selected.has(run.id)}`}`;
  }, [version, phone, shown, selected, props.renaming]);

  return (
    <Table label="Runs" rows={props.runs} columns={[...first, ...rest]} keyOf={(run) => run.id}
      rowHeight={phone ? 52 : 32} active={props.active} stamp={stamp} onOpen={props.onOpen} onEnd={props.onEnd}
      stale={props.stale}
      onHover={(run) => bus.point(null, run && shown.has(run.id) ? run.id : null)} />
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
