// The table of a project's runs: which are drawn, what they were given, and what came out.
import { useMemo } from "react";
import type { ChartBus } from "../charts/bus";
import type { Run } from "../api/types";
import { COLOURS } from "../charts/palette";
import { Ago, Link, useNow } from "../components/basics";
import { columnTitle } from "../components/ColumnPicker";
import { Pill } from "../components/Pill";
import { SortButton } from "../components/SortButton";
import { Table, type TableColumn } from "../components/Table";
import { formatCount, formatDuration } from "../format";
import { pathOf } from "../router";
import { slots } from "../store/colours";
import { type Column, type Sort, cellText, columnId, durationOf, metricStep } from "../store/columns";
import { AGGREGATES, type Aggregate } from "../store/metrics";
import { hasEnded } from "../store/runs";
import { useStore } from "../store/store";

interface Props {
  runs: readonly Run[];
  columns: readonly Column[];
  /** Which number of a metric its column shows. */
  aggregateFor: (metric: string) => Aggregate;
  sort: Sort;
  shown: ReadonlySet<string>;
  active: string | null;
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
      id: "name", width: phone ? 150 : 172, frozen: !phone, sorted: sorted("name"), head: header("name", "Run"),
      cell: (run) => (
        <>
          <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={run.name}>
            {run.name}
          </Link>
          {phone ? <Pill state={run.state} /> : null}
        </>
      ),
    },
  ];
  if (!phone) {
    first.push({
      id: "state", width: 108, sorted: sorted("state"), head: header("state", "State"),
      cell: (run) => <Pill state={run.state} />,
    });
  }
  // A phone has room for two numbers; the run's page has the rest.
  const chosen = phone ? columns.filter(({ kind }) => kind === "metric").slice(0, 2) : columns;
  const rest = chosen.map((column): TableColumn<Run> => {
    const by = columnId(column);
    const aggregate = aggregateFor(column.name);
    const title = columnTitle(column);
    const numeric = column.kind !== "field" || column.name === "step" || column.name === "duration";
    return {
      id: by + (column.kind === "metric" ? aggregate : ""),
      width: phone ? 82 : Math.min(170, Math.max(84, title.length * 7 + 28)),
      align: numeric ? "right" : "left",
      sorted: sorted(by),
      head: column.kind === "metric" ? (
        <span className="metric-head">
          {header(by, title)}
          <select aria-label={`Which ${title}`} className="aggregate" value={aggregate}
            onChange={(event) => props.onAggregate(column.name, event.target.value as Aggregate)}>
            {AGGREGATES.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </span>
      ) : header(by, title),
      cell: (run) => <Cell run={run} column={column} aggregate={aggregate} />,
    };
  });

  const stamp = useMemo(() => {
    const all = [version, phone].join();
    return (run: Run) => `${all}${selected === null ? shown.has(run.id) : `s${selected.has(run.id)}`}`;
  }, [version, phone, shown, selected]);

  return (
    <Table label="Runs" rows={props.runs} columns={[...first, ...rest]} keyOf={(run) => run.id}
      rowHeight={phone ? 52 : 32} active={props.active} stamp={stamp} onOpen={props.onOpen}
      onHover={(run) => bus.point(null, run && shown.has(run.id) ? run.id : null)} />
  );
}

function Cell({ run, column, aggregate }: { run: Run; column: Column; aggregate: Aggregate }) {
  if (column.kind === "field" && column.name === "created") return <Ago at={run.created_at} />;
  if (column.kind === "field" && column.name === "duration") return <Duration run={run} />;
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
