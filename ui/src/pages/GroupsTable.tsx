// The table of runs in groups: how many each holds and how their numbers spread; opened, the runs themselves.
import { useCallback, useMemo, useState } from "react";
import type { ChartBus } from "../charts/bus";
import type { SpreadKind } from "../charts/mean";
import { COLOURS } from "../charts/palette";
import type { Group } from "../api/tracking";
import type { Run } from "../api/types";
import { Empty, Failure, Link, Skeleton } from "../components/basics";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { SortButton } from "../components/SortButton";
import { Table, type TableColumn } from "../components/Table";
import { formatCount, plural } from "../format";
import { pathOf } from "../router";
import type { Column } from "../store/columns";
import { type GroupsStore, groupId, groupLabel, groupName, spreadText, statesText } from "../store/groups";
import type { Aggregate } from "../store/metrics";
import { fieldTitle, quoted, type Sort } from "../store/sorting";
import { useStore } from "../store/store";
import { Cell, valueColumn } from "./RunsTable";

interface Props {
  store: GroupsStore;
  columns: readonly Column[];
  aggregateFor: (metric: string) => Aggregate;
  spread: SpreadKind;
  sort: Sort;
  onSort: (by: string) => void;
  onAggregate: (metric: string, aggregate: Aggregate) => void;
  /** Groups that are drawn, with the colour of each. */
  drawn: ReadonlyMap<string, number>;
  onToggle: (group: string) => void;
  onOpen: (groups: ReadonlySet<string>) => void;
  phone: boolean;
  bus: ChartBus;
}

type Row = { id: string; group: Group; run: Run | null; note?: string };

/** The group that a row belongs to. */
const ownerOf = (row: string): string => row.split("\n")[0]!;

/** How the server names a metric's number in a group's values. */
export const valueName = (metric: string, aggregate: Aggregate): string => `${quoted(metric)}.${aggregate}`;

export function GroupsTable(props: Props) {
  const { store, columns, aggregateFor, spread, sort, drawn, phone, bus } = props;
  const { asked, wanted, groups, members, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const more = useCallback(() => void store.more(), [store]);
  const toggleOpen = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
    props.onOpen(next);
  };
  const rows = useMemo(() => groups.flatMap((group): Row[] => {
    const id = groupId(asked.by, group.key);
    if (!open.has(id)) return [{ id, group, run: null }];
    const held = members.get(id);
    const inside = held?.runs.map((run): Row => ({ id: `${id}\n${run.id}`, group, run })) ?? [{ id: `${id}\nreading`, group, run: null, note: "reading…" }];
    if (held?.more) inside.push({ id: `${id}\nmore`, group, run: null, note: group.filter === null ? `${plural(group.count, "run")} with values too long to filter by`
      : `the newest ${held.runs.length} of ${plural(group.count, "run")}` });
    return [{ id, group, run: null }, ...inside];
  }), [groups, members, open, asked]);

  const heads = { sort, phone, aggregateFor, onSort: props.onSort, onAggregate: props.onAggregate };
  const first: TableColumn<Row>[] = [
    {
      id: "shown", width: 56, frozen: true, head: <span className="unseen">In the charts</span>,
      cell: ({ id, group, run, note }) => (run !== null || note !== undefined ? null : (
        <span className="show-cell">
          <input type="checkbox" aria-label={`Show ${groupName(asked.by, group.key)} in the charts`} checked={drawn.has(id)}
            onChange={() => props.onToggle(id)} />
          {drawn.has(id) ? <span className={`swatch line-${drawn.get(id)! % COLOURS}`} /> : null}
        </span>
      )),
    },
    {
      id: "name", width: phone ? 150 : 250, frozen: !phone, head: <span className="plain-head">{asked.by.map(fieldTitle).join(", ")}</span>,
      cell: ({ id, group, run, note }) => {
        if (note !== undefined) return <span className="muted small group-inside">{note}</span>;
        if (run) {
          return (
            <span className="group-inside">
              <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={run.name}>{run.name}</Link>
              <Pill state={run.state} />
            </span>
          );
        }
        return (
          <button type="button" className="fold group-name" aria-expanded={open.has(id)} onClick={() => toggleOpen(id)}
            title={groupName(asked.by, group.key)}>
            <Icon name={open.has(id) ? "chevron" : "right"} size={13} /><span className="clip">{groupLabel(asked.by, group.key)}</span>
          </button>
        );
      },
    },
    {
      id: "count", width: phone ? 58 : 84, align: "right", sorted: sort.by !== "count" ? "none" : sort.descending ? "descending" : "ascending",
      head: <SortButton title="Runs" by="count" sort={sort} onSort={props.onSort} />,
      cell: ({ group, run, note }) => (run || note !== undefined ? null : <span title={statesText(group.states)}>{formatCount(group.count)}</span>),
    },
  ];
  const metrics = columns.filter(({ kind }) => kind === "metric").slice(0, phone ? 1 : undefined);
  const rest = metrics.map((column): TableColumn<Row> => {
    const made = valueColumn<Row>(column, heads, ({ group, run, note }, aggregate) => {
      if (note !== undefined) return null;
      if (run) return <Cell run={run} column={column} aggregate={aggregate} />;
      const held = group.values[valueName(column.name, aggregate)] ?? group.values[`${column.name}.${aggregate}`];
      const text = spreadText(held, spread);
      return text === "" ? <span className="faint">–</span> : <span title={`of ${plural(held!.count, "run")}`}>{text}</span>;
    });
    return { ...made, width: phone ? 124 : Math.max(made.width, 150) };
  });

  if (error && groups.length === 0) return <Failure error={error} retry={store.follow.read} />;
  if (!complete) return <Skeleton rows={8} label="Reading the groups" />;
  if (groups.length === 0) return <Empty icon="group" title="No run matches, so there are no groups" />;
  return (
    <>
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      <Table label="Groups" rows={rows} columns={[...first, ...rest]} keyOf={({ id }) => id} rowHeight={phone ? 52 : 32} stale={wanted !== asked}
        onEnd={more}
        stamp={({ id, group }) => `${spread}${open.has(id)}${drawn.get(id)}${JSON.stringify(group.values)}`}
        onHover={(row) => bus.point(null, row && drawn.has(ownerOf(row.id)) ? ownerOf(row.id) : null)} />
    </>
  );
}
