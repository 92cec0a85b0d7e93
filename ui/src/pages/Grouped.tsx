// The runs page in groups: the table of groups, and charts with one mean and band for each group that is drawn.
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { Run } from "../api/types";
import type { ChartBus } from "../charts/bus";
import type { Line } from "../charts/line";
import type { SpreadKind } from "../charts/mean";
import { formatCount, plural } from "../format";
import type { Column } from "../store/columns";
import { GroupsStore, groupId, groupName } from "../store/groups";
import type { Aggregate } from "../store/metrics";
import { useOwned } from "../store/owned";
import type { Sort } from "../store/sorting";
import { useStore } from "../store/store";
import { GroupsTable, valueName } from "./GroupsTable";
import { RunsCharts, useSame } from "./RunsCharts";

const AT_FIRST = 8; // groups drawn before the reader has chosen any

interface Props {
  project: string;
  by: readonly string[];
  q: string;
  archived: boolean;
  sort: Sort;
  columns: readonly Column[];
  aggregateFor: (metric: string) => Aggregate;
  spread: SpreadKind;
  bus: ChartBus;
  phone: boolean;
  toolbar: ReactNode;
  frame: (table: JSX.Element, charts: JSX.Element | null) => JSX.Element;
  foot: ReactNode;
  onSort: (by: string) => void;
  onAggregate: (metric: string, aggregate: Aggregate) => void;
}

export function Grouped(props: Props) {
  const { by, q, archived, columns, aggregateFor, sort } = props;
  const values = columns.filter(({ kind }) => kind === "metric").map(({ name }) => valueName(name, aggregateFor(name)));
  const order = groupSort(sort, values, aggregateFor);
  const asked = JSON.stringify({ q, by, values, sort: order, archived });
  const store = useOwned(() => new GroupsStore(props.project, JSON.parse(asked)), [props.project]);
  useEffect(() => store?.ask(JSON.parse(asked)), [store, asked]);
  return store ? <Loaded {...props} store={store} /> : null;
}

/** The server's order of groups: by their number, or by the middle of a metric that is among the columns; else its own. */
function groupSort(sort: Sort, values: readonly string[], aggregateFor: (metric: string) => Aggregate): string | null {
  const sign = sort.descending ? "-" : "";
  if (sort.by === "count") return `${sign}count`;
  if (!sort.by.startsWith("metric:")) return null;
  const metric = sort.by.slice(7);
  const value = valueName(metric, aggregateFor(metric));
  return values.includes(value) ? sign + value : null;
}

function Loaded({ store, project, spread, bus, phone, toolbar, frame, foot, ...props }: Props & { store: GroupsStore }) {
  const { groups, members, asked } = useStore(store.state);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  /** Groups whose drawing the reader has turned around. */
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const drawn = useMemo(() => {
    const ids = groups.map(({ key }) => groupId(asked.by, key));
    const on = ids.filter((id, i) => (i < AT_FIRST) !== turned.has(id));
    return new Map(on.map((id, i) => [id, i]));
  }, [groups, asked, turned]);
  useEffect(() => {
    store.want(groups.filter(({ key }) => {
      const id = groupId(asked.by, key);
      return drawn.has(id) || open.has(id);
    }));
  }, [store, groups, asked, drawn, open]);
  const lines = useSame(groups.flatMap(({ key, count }): Line[] => {
    const id = groupId(asked.by, key);
    const held = members.get(id);
    const slot = drawn.get(id);
    if (slot === undefined || !held || held.runs.length === 0) return [];
    const n = held.runs.length < count ? `${formatCount(held.runs.length)} of ${plural(count, "run")}` : plural(count, "run");
    return [{ id, name: `${groupName(asked.by, key)} (${n})`, slot, members: held.runs.map((run) => run.id), spread }];
  }));
  const runs = useMemo(() => {
    const byId = new Map<string, Run>();
    for (const [id, { runs: held }] of members) if (drawn.has(id)) for (const run of held) byId.set(run.id, run);
    return [...byId.values()];
  }, [members, drawn]);
  const table = (
    <section className="runs-side" aria-label="Table of groups">
      {toolbar}
      <GroupsTable {...props} store={store} spread={spread} bus={bus} phone={phone} drawn={drawn} onOpen={setOpen}
        onToggle={(id) => {
          const next = new Set(turned);
          if (!next.delete(id)) next.add(id);
          setTurned(next);
        }} />
      {foot}
    </section>
  );
  return frame(table, (
    <RunsCharts project={project} bus={bus} runs={runs} lines={lines} wanted={lines.length} runOf={(id) => runs.find((run) => run.id === id)}
      none={{ title: drawn.size === 0 ? "No group is switched on" : "Nothing to draw yet", text: "Tick groups in the table to draw their mean here." }} />
  ));
}
