// A project's runs: the table beside the live charts of those that are switched on.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { mayWrite } from "../api/client";
import type { FilterAnswer } from "../api/tracking";
import type { Run } from "../api/types";
import { ChartBus } from "../charts/bus";
import type { SpreadKind } from "../charts/mean";
import { Empty, Failure, IconButton, Segmented, Skeleton, usePhone } from "../components/basics";
import { ColumnPicker } from "../components/ColumnPicker";
import { DerivedMetrics } from "../components/DerivedMetrics";
import { FilterBar } from "../components/FilterBar";
import { FirstRun } from "../components/FirstRun";
import { GroupControl } from "../components/GroupControl";
import { Menu } from "../components/Menu";
import { SelectBar, comparePath } from "../components/SelectBar";
import { AT_FIRST as SPLIT_AT_FIRST, Splitter } from "../components/Splitter";
import { formatCount, plural } from "../format";
import { type Binding, useKeys } from "../keys";
import { navigate, pathOf, place, setQuery } from "../router";
import { parseAggregates, printAggregates } from "../store/aggregates";
import { type Column, defaultColumns, metricNames } from "../store/columns";
import { toDraw } from "../store/drawn";
import { parseGroup } from "../store/groups";
import { type Aggregate, headlineOf } from "../store/metrics";
import { useOwned } from "../store/owned";
import { usePref } from "../store/prefs";
import { rowsOf } from "../store/nests";
import { RunsStore, type RunsState } from "../store/runlist";
import { parseSort, printSort, serverSort } from "../store/sorting";
import { useStore } from "../store/store";
import { Grouped } from "./Grouped";
import { NothingFound } from "./NothingFound";
import { RunsCharts, useLines } from "./RunsCharts";
import { RunsTable } from "./RunsTable";
import { TrashPage } from "./Trash";

const AT_FIRST = 16; // runs drawn before the reader has chosen any
const MOST_OPEN = 50; // runs that are open at a time: each is a question of its own

export function RunsPage({ project }: { project: string }) {
  const { query } = useStore(place);
  return query.get("trash") === null ? <KeptRuns project={project} /> : <TrashPage key={project} project={project} />;
}

function KeptRuns({ project }: { project: string }) {
  const store = useOwned(() => {
    const { query } = place.value;
    return new RunsStore(project, { q: query.get("q") ?? "", sort: "-created", archived: query.get("archived") !== null });
  }, [project]);
  return store ? <Workspace key={project} project={project} store={store} /> : null;
}

function Workspace({ project, store }: { project: string; store: RunsStore }) {
  const state = useStore(store.state);
  const { byId, complete, asked, nests } = state;
  const rows = useMemo(() => rowsOf(state.runs, nests), [state.runs, nests]);
  const runs = useMemo(() => rows.flatMap((row) => (row.kind === "run" ? [row.run] : [])), [rows]);
  const error = useStore(store.follow.error);
  const { query } = useStore(place);
  const phone = usePhone();
  const [bus] = useState(() => new ChartBus());
  const [face, setFace] = useState<"table" | "charts">("table");
  const [columns, setColumns] = usePref<Column[] | null>(`columns.${project}`, null);
  const [kept, setKept] = usePref<Record<string, Aggregate>>(`aggregates.${project}`, {});
  const [spreadKind, setSpread] = usePref<SpreadKind>("spread", "sd");
  const [share, setShare] = usePref("split", SPLIT_AT_FIRST);
  const [full, setFull] = useState(false);
  const [dialog, setDialog] = useState<"columns" | "derived" | null>(null);
  const [active, setActive] = useState<string | null>(null);
  const [renaming, setRenaming] = useState<{ run: string; asked: number } | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string> | null>(null);
  const [answer, setAnswer] = useState<FilterAnswer | null>(null);
  const field = useRef<HTMLInputElement>(null);

  const q = query.get("q") ?? "";
  const archived = query.get("archived") !== null;
  const group = query.get("group");
  const by = useMemo(() => parseGroup(group), [group]);
  const sort = useMemo(() => parseSort(query.get("sort")), [query]);
  const chosen = query.get("sel");
  const opened = query.get("open") ?? "";
  useEffect(() => void store.open(opened === "" ? [] : opened.split(".").slice(0, MOST_OPEN)), [store, opened]);
  const toggleNest = useCallback((id: string) => {
    const before = (place.value.query.get("open") ?? "").split(".").filter((each) => each !== "");
    const next = before.includes(id) ? before.filter((each) => each !== id) : [...before, id].slice(-MOST_OPEN);
    setQuery({ open: next.length === 0 ? null : next.join(".") });
  }, []);
  const moreOf = useCallback((id: string) => void store.moreOf(id), [store]);
  const inAddress = query.get("agg");
  // What the address says, or what the reader chose before, or else what was said to stand for the metric.
  const aggregates = useMemo(() => ({ ...kept, ...parseAggregates(inAddress) }), [kept, inAddress]);
  const aggregateFor = (metric: string): Aggregate => aggregates[metric] ?? headlineOf(runs, metric);
  const setAggregate = (metric: string, aggregate: Aggregate) => {
    setKept({ ...kept, [metric]: aggregate });
    setQuery({ agg: printAggregates({ ...parseAggregates(inAddress), [metric]: aggregate }) });
  };
  const order = serverSort(by.length > 0 ? parseSort(null) : sort, sort.by.startsWith("metric:") ? aggregateFor(sort.by.slice(7)) : "last");
  useEffect(() => store.ask({ q, sort: order, archived }), [store, q, order, archived]);
  const setSort = (on: string) => setQuery({
    sort: printSort({ by: on, descending: sort.by === on ? !sort.descending : on === "field:created" }),
  });

  const shown = useMemo(() => {
    if (chosen !== null) return new Set(chosen === "" ? [] : chosen.split("."));
    // What has something to draw, in the order of the table: filtering and sorting choose for the charts, too.
    return new Set(runs.filter((run) => run.points > 0 || metricNames([run]).length > 0).slice(0, AT_FIRST).map((run) => run.id));
  }, [chosen, runs]);
  useEffect(() => {
    if (complete && chosen !== null && chosen !== "") void store.want(chosen.split("."));
  }, [store, complete, chosen]);
  const setShown = (ids: Iterable<string>) => setQuery({ sel: [...ids].join(".") });
  // Rows keep their first `toggle`: it must look up what is shown when it is called.
  const latest = useRef(shown);
  useEffect(() => {
    latest.current = shown;
  }, [shown]);
  const toggle = useCallback((id: string) => {
    const next = new Set(latest.current);
    if (!next.delete(id)) next.add(id);
    setQuery({ sel: [...next].join(".") });
  }, []);
  const { drawn, wanted } = useMemo(() => toDraw(runs, byId, shown), [runs, byId, shown]);
  const lines = useLines(drawn);
  const tableColumns = useMemo(() => columns ?? defaultColumns(runs), [columns, runs]);
  const more = useCallback(() => void store.more(), [store]);
  const runOf = useCallback((id: string) => store.state.value.byId.get(id), [store]);

  useHotRow(bus);
  useEffect(() => {
    document.title = `${project} · Martlet`;
  }, [project]);
  const step = (by: number) => {
    const at = runs.findIndex((run) => run.id === active);
    const next = runs[Math.min(runs.length - 1, Math.max(0, at + by))];
    if (!next) return;
    setActive(next.id);
    bus.point(null, shown.has(next.id) ? next.id : null);
  };
  const [select, selectAll] = useSelection(runs, setSelected);
  const chosenRuns = selected === null ? [] : [...selected].flatMap((id) => byId.get(id) ?? []);
  const open = (run: Run) => navigate(pathOf({ page: "run", project: run.project, run: run.id }));
  const keys: Binding[] = [
    { key: "/", does: "filter", run: () => field.current?.focus() },
    { key: "j", does: "next row", run: () => step(1) },
    { key: "k", does: "previous row", run: () => step(-1) },
    { key: "x", does: "show or hide the row's run in the charts", run: () => active !== null && toggle(active) },
    {
      key: "Enter", does: "open the row's run",
      run: () => {
        const run = active === null ? undefined : byId.get(active);
        if (run) open(run);
      },
    },
    {
      key: "o", does: "open or close what is nested in the row's run",
      run: () => active !== null && nests !== null && (byId.get(active)?.children ?? 0) > 0 && toggleNest(active),
    },
    { key: " ", does: "select the row's run", run: () => active !== null && mayWrite() && select(active, false) },
    { key: "e", does: "rename the row's run", run: () => active !== null && setRenaming({ run: active, asked: (renaming?.asked ?? 0) + 1 }) },
    {
      key: "c", does: "compare the selected runs, or those in the charts",
      run: () => {
        const these = chosenRuns.length > 1 ? chosenRuns : drawn.slice(0, 20);
        if (these.length > 1) navigate(comparePath(project, these));
      },
    },
    ...(selected === null ? [] : [{ key: "Escape", does: "end the selection", run: () => setSelected(null) }]),
    { key: "\\", does: "table over the whole width, and back", run: () => setFull(!full) },
  ];
  useKeys(keys);

  if (state.all?.total === 0 && runs.length === 0 && !archived) return <NoRuns project={project} />;
  if (!complete && error && q === "") {
    return (
      <div className="page narrow">
        <Failure error={error} retry={store.follow.read} />
        {error.code === "notFound" ? <FirstRun project={project} /> : null}
      </div>
    );
  }

  const toolbar = (
    <>
      {archived ? (
        <p className="archive-note">
          <span>These runs are archived: lists leave them out.</span>
          <button type="button" className="text-button" onClick={() => setQuery({ archived: null })}>Back to the others</button>
        </p>
      ) : null}
      <div className="toolbar">
        <FilterBar project={project} value={q} field={field} onAnswer={setAnswer}
          onChange={(text) => setQuery({ q: text === "" ? null : text })} />
        {mayWrite() && by.length === 0 ? <IconButton icon="select" label="Select runs" pressed={selected !== null}
          onClick={() => setSelected(selected === null ? new Set() : null)} /> : null}
        <IconButton icon="columns" label="Choose columns" onClick={() => setDialog("columns")} />
        <Menu label="More about these runs" items={[
          { word: "Derived metrics…", icon: "function", run: () => setDialog("derived") },
          { word: archived ? "Runs that are not archived" : "Archive", icon: "archive", run: () => setQuery({ archived: archived ? null : "1" }) },
          { word: "Trash", icon: "trash", run: () => setQuery({ trash: "1" }) },
        ]} />
      </div>
      <div className="toolbar second">
        <GroupControl project={project} by={by} onBy={(names) => setQuery({ group: names.length === 0 ? null : names.join(","), sort: null })}
          spread={spreadKind} onSpread={setSpread} />
      </div>
    </>
  );
  const pickers = (
    <>
      {dialog === "columns" ? <ColumnPicker project={project} shown={tableColumns} onChange={setColumns} onClose={() => setDialog(null)} /> : null}
      {dialog === "derived" ? <DerivedMetrics project={project} runs={drawn} onClose={() => setDialog(null)} /> : null}
    </>
  );
  const frame = (table: JSX.Element, charts: JSX.Element | null) => (
    <div className={full ? "runs full" : "runs"}>
      {phone ? (
        <Segmented label="What to see" value={face} options={[["table", "Runs"], ["charts", "Charts"]]} onChange={setFace} />
      ) : null}
      {phone ? (face === "table" ? table : charts) : (
        <Splitter share={share} onShare={setShare} full={full} left={table} right={charts} />
      )}
      {pickers}
    </div>
  );
  if (by.length > 0) {
    return <Grouped {...{ project, by, q, archived, sort, aggregateFor, bus, phone, toolbar, frame }} columns={tableColumns} spread={spreadKind}
      onSort={setSort} onAggregate={setAggregate} foot={<Footer state={state} />} />;
  }

  const stale = state.reading && (asked.q !== q || asked.archived !== archived || asked.sort !== order);
  const table = (
    <section className="runs-side" aria-label="Table of runs">
      {toolbar}
      {selected === null ? null : <SelectBar project={project} runs={chosenRuns} archived={archived} onDone={() => setSelected(null)} />}
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {!complete ? (error ? null : <Skeleton rows={10} label="Reading the runs" />) : runs.length === 0 && !stale ? (
        <NothingFound project={project} archived={archived} answer={answer} q={q} all={state.all?.total ?? 0} />
      ) : (
        <RunsTable rows={rows} runs={runs} runOf={runOf} onNest={toggleNest} onRest={moreOf} columns={tableColumns} aggregateFor={aggregateFor} sort={sort} shown={shown} active={active}
          renaming={renaming} phone={phone} bus={bus} onToggle={toggle} onOpen={open} selected={selected} onSelect={select}
          onSelectAll={selectAll} onEnd={more} stale={stale}
          onToggleAll={() => setShown(runs.every((run) => shown.has(run.id)) ? [] : runs.map((run) => run.id))}
          onAggregate={setAggregate} onSort={setSort} />
      )}
      <Footer state={state}>
        <span>{lines.length < wanted ? `${formatCount(lines.length)} of ` : ""}{formatCount(wanted)} drawn</span>
        {chosen === null ? null : <button type="button" className="text-button" onClick={() => setQuery({ sel: null })}>draw the first</button>}
      </Footer>
    </section>
  );
  return frame(table, (
    <RunsCharts project={project} bus={bus} runs={drawn} lines={lines} wanted={wanted} runOf={runOf}
      none={runs.length === 0 && q !== "" ? { title: "Nothing to draw", text: "The charts of the runs that match the filter show here." } : shown.size === 0 && chosen === null
        ? runs.some((run) => (run.children ?? 0) > 0)
          ? { title: "Nothing was logged by these runs themselves", text: "Open a run in the table to draw what is nested in it." }
          : { title: "Nothing was logged yet", text: "Charts appear with the first point." }
        : { title: "No run is switched on", text: "Tick runs in the table to draw them here." }} />
  ));
}

function NoRuns({ project }: { project: string }) {
  return (
    <div className="page narrow">
      <Empty icon="runs" title={`No runs in ${project} yet`}>The first one shows here by itself as soon as it logs something.</Empty>
      <FirstRun project={project} />
      <p className="muted small">
        Deleted runs are in the <button type="button" className="text-button" onClick={() => setQuery({ trash: "1" })}>trash</button>, archived
        ones in the <button type="button" className="text-button" onClick={() => setQuery({ archived: "1" })}>archive</button>.
      </p>
    </div>
  );
}

/** How many runs there are, how many are shown, how many run. */
function Footer({ state: { all, found, asked, complete }, children }: { state: RunsState; children?: React.ReactNode }) {
  const running = (all?.states.running ?? 0) + (all?.states.starting ?? 0) + (all?.states.lost ?? 0);
  return (
    <footer className="table-foot">
      <span>{all === null ? "" : plural(all.total, "run")}</span>
      {found !== null && asked.q !== "" ? <span>{formatCount(found.total)} shown</span> : null}
      {running > 0 ? <span className="live-text">{formatCount(running)} running</span> : null}
      {complete ? null : <span>reading…</span>}
      {children}
    </footer>
  );
}

/** Choosing rows one by one, from one to another, or all. Rows keep their first `select`. */
function useSelection(
  runs: readonly Run[], setSelected: React.Dispatch<React.SetStateAction<ReadonlySet<string> | null>>,
): [(id: string, range: boolean) => void, () => void] {
  const order = useRef({ runs, last: null as string | null });
  useEffect(() => {
    order.current.runs = runs;
  }, [runs]);
  const select = useCallback((id: string, range: boolean) => {
    const { runs: all, last } = order.current;
    order.current.last = id;
    const [from, to] = [all.findIndex((run) => run.id === last), all.findIndex((run) => run.id === id)];
    setSelected((before) => {
      const next = new Set(before ?? []);
      if (range && from >= 0 && to >= 0) {
        for (const run of all.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(run.id);
      } else if (!next.delete(id)) next.add(id);
      return next;
    });
  }, [setSelected]);
  const selectAll = useCallback(() => {
    const all = order.current.runs;
    setSelected((before) => (all.every((run) => before?.has(run.id)) ? new Set() : new Set(all.map((run) => run.id))));
  }, [setSelected]);
  return [select, selectAll];
}

/** Lights the table's row of the run that is lit in the charts, without making the table anew. */
function useHotRow(bus: ChartBus): void {
  useEffect(() => {
    let lit: Element | null = null;
    return bus.onCursor(() => {
      const row = bus.hot === null ? null : document.querySelector(`tr[data-row="${CSS.escape(bus.hot)}"]`);
      if (row === lit) return;
      lit?.removeAttribute("data-hot");
      row?.setAttribute("data-hot", "");
      lit = row;
    });
  }, [bus]);
}
