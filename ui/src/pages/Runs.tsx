// A project's runs: the table beside the live charts of those that are switched on.
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { mayWrite } from "../api/client";
import type { Run } from "../api/types";
import { ChartBus } from "../charts/bus";
import type { Line } from "../charts/line";
import { Button, Empty, Failure, IconButton, Segmented, Skeleton, usePhone } from "../components/basics";
import { ChartControls, ChartGrid } from "../components/ChartGrid";
import { ColumnPicker } from "../components/ColumnPicker";
import { DeleteRuns } from "../components/DeleteRuns";
import { FirstRun } from "../components/FirstRun";
import { Icon } from "../components/Icon";
import { Splitter } from "../components/Splitter";
import { formatCount, plural } from "../format";
import { useKeys } from "../keys";
import { navigate, pathOf, place, setQuery } from "../router";
import { slots, spread } from "../store/colours";
import { type Column, defaultColumns, metricNames, parseSort, printSort, sortRuns } from "../store/columns";
import { MOST_DRAWN, toDraw } from "../store/drawn";
import { type Aggregate, headlineOf } from "../store/metrics";
import { usePref } from "../store/prefs";
import { RunsStore, endedAs, hasEnded } from "../store/runs";
import { SeriesStore } from "../store/series";
import { useStore } from "../store/store";
import { useOwned } from "../store/owned";
import { RunsTable } from "./RunsTable";
import { TrashPage } from "./Trash";

const AT_FIRST = 16; // runs drawn before the reader has chosen any

export function RunsPage({ project }: { project: string }) {
  const { query } = useStore(place);
  return query.get("trash") === null ? <KeptRuns project={project} /> : <TrashPage key={project} project={project} />;
}

function KeptRuns({ project }: { project: string }) {
  const store = useOwned(() => new RunsStore(project), [project]);
  return store ? <Workspace key={project} project={project} store={store} /> : null;
}

function Workspace({ project, store }: { project: string; store: RunsStore }) {
  const { runs, byId, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  const { query } = useStore(place);
  const phone = usePhone();
  const [bus] = useState(() => new ChartBus());
  const series = useOwned(() => new SeriesStore((run) => endedAs(store.state.value.byId.get(run))), [store]);
  const [face, setFace] = useState<"table" | "charts">("table");
  const [columns, setColumns] = usePref<Column[] | null>(`columns.${project}`, null);
  const [aggregates, setAggregates] = usePref<Record<string, Aggregate>>(`aggregates.${project}`, {});
  const [share, setShare] = usePref("split", 0.4);
  const [full, setFull] = useState(false);
  const [picking, setPicking] = useState(false);
  const [active, setActive] = useState<string | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string> | null>(null);
  const [deleting, setDeleting] = useState<readonly Run[] | null>(null);
  const search = useRef<HTMLInputElement>(null);

  const text = query.get("q") ?? "";
  const needle = useDeferredValue(text.toLowerCase());
  const sort = useMemo(() => parseSort(query.get("sort")), [query]);
  const chosen = query.get("sel");
  // What the reader chose, or else what was said to stand for the metric.
  const aggregateFor = (metric: string): Aggregate => aggregates[metric] ?? headlineOf(runs, metric);
  const sortAggregate = sort.by.startsWith("metric:") ? aggregateFor(sort.by.slice(7)) : "last";
  const rows = useMemo(() => {
    const found = needle === "" ? runs : runs.filter((run) => run.name.toLowerCase().includes(needle));
    return sortRuns(found, sort, sortAggregate);
  }, [runs, needle, sort, sortAggregate]);

  const shown = useMemo(() => {
    if (chosen !== null) return new Set(chosen === "" ? [] : chosen.split("."));
    // What has something to draw, newest first; filtering narrows the charts along with the table.
    const found = needle === "" ? runs : runs.filter((run) => run.name.toLowerCase().includes(needle));
    return new Set(found.filter((run) => run.points > 0 || metricNames([run]).length > 0).slice(0, AT_FIRST).map((run) => run.id));
  }, [chosen, runs, needle]);
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

  const { drawn: inOrder, wanted } = useMemo(() => toDraw(rows, byId, shown), [rows, byId, shown]);
  const lines = useLines(inOrder);
  const ids = lines.map((line) => line.id).join(".");
  useEffect(() => series?.setRuns(ids === "" ? [] : ids.split(".")), [series, ids]);
  useEffect(() => series?.look(), [series, byId]);
  const drawn = useMemo(() => {
    const held = new Set(inOrder);
    return runs.filter((run) => held.has(run));
  }, [runs, inOrder]);
  const names = useMemo(() => metricNames(drawn), [drawn]);
  const tableColumns = useMemo(() => columns ?? defaultColumns(runs), [columns, runs]);

  useHotRow(bus);
  useEffect(() => {
    document.title = `${project} · Martlet`;
  }, [project]);
  const step = (by: number) => {
    const at = rows.findIndex((run) => run.id === active);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    setActive(next.id);
    bus.point(null, shown.has(next.id) ? next.id : null);
  };
  // Rows keep their first `select`, too.
  const order = useRef({ rows, last: null as string | null });
  useEffect(() => {
    order.current.rows = rows;
  }, [rows]);
  const select = useCallback((id: string, range: boolean) => {
    const { rows: all, last } = order.current;
    order.current.last = id;
    const [from, to] = [all.findIndex((run) => run.id === last), all.findIndex((run) => run.id === id)];
    setSelected((before) => {
      const next = new Set(before ?? []);
      if (range && from >= 0 && to >= 0) {
        for (const run of all.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(run.id);
      } else if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  const chosenRuns = selected === null ? [] : runs.filter((run) => selected.has(run.id));
  const open = (run: Run) => navigate(pathOf({ page: "run", project, run: run.id }));
  useKeys([
    { key: "/", does: "filter by name", run: () => search.current?.focus() },
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
    { key: " ", does: "select the row's run", run: () => active !== null && mayWrite() && select(active, false) },
    ...(selected === null ? [] : [{ key: "Escape", does: "end the selection", run: () => setSelected(null) }]),
    { key: "\\", does: "table over the whole width, and back", run: () => setFull(!full) },
  ]);

  if (runs.length === 0) {
    if (error) return <div className="page"><Failure error={error} retry={store.follow.read} /></div>;
    if (!complete) return <div className="page"><Skeleton rows={10} label="Reading the runs" /></div>;
    return (
      <div className="page narrow">
        <Empty icon="runs" title={`No runs in ${project} yet`}>The first one shows here by itself as soon as it logs something.</Empty>
        <FirstRun project={project} />
        <p className="muted small">Deleted runs are in the <button type="button" className="text-button" onClick={() => setQuery({ trash: "1" })}>trash</button>.</p>
      </div>
    );
  }

  const running = runs.filter((run) => !hasEnded(run.state) && run.state !== "queued").length;
  const table = (
    <section className="runs-side" aria-label="Table of runs">
      <div className="toolbar">
        <label className="search">
          <Icon name="search" size={14} />
          <span className="unseen">Filter by name</span>
          <input ref={search} type="search" value={text} placeholder="Filter by name" spellCheck={false}
            onChange={(event) => setQuery({ q: event.target.value === "" ? null : event.target.value })} />
          <kbd>/</kbd>
        </label>
        {mayWrite() ? <IconButton icon="select" label="Select runs" pressed={selected !== null}
          onClick={() => setSelected(selected === null ? new Set() : null)} /> : null}
        <IconButton icon="columns" label="Choose columns" onClick={() => setPicking(true)} />
        <IconButton icon="trash" label="Trash" onClick={() => setQuery({ trash: "1" })} />
      </div>
      {selected === null ? null : (
        <div className="select-bar" role="toolbar" aria-label="Selected runs">
          <strong>{formatCount(chosenRuns.length)} selected</strong>
          <span className="grow" />
          <Button tone="danger" icon="trash" disabled={chosenRuns.length === 0} onClick={() => setDeleting(chosenRuns)}>Delete…</Button>
          <Button onClick={() => setSelected(null)}>Done</Button>
        </div>
      )}
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {rows.length === 0 ? (
        <Empty icon="search" title="No run has this name">
          <p>{plural(runs.length, "run")} in {project}, none with “{text}” in the name.</p>
          <Button onClick={() => setQuery({ q: null })}>Clear the filter</Button>
        </Empty>
      ) : (
        <RunsTable runs={rows} columns={tableColumns} aggregateFor={aggregateFor} sort={sort} shown={shown} active={active}
          phone={phone} bus={bus} onToggle={toggle} onOpen={open} selected={selected} onSelect={select}
          onSelectAll={() => setSelected(rows.every((run) => selected?.has(run.id)) ? new Set() : new Set(rows.map((run) => run.id)))}
          onToggleAll={() => setShown(rows.every((run) => shown.has(run.id)) ? [] : rows.map((run) => run.id))}
          onAggregate={(metric, aggregate) => setAggregates({ ...aggregates, [metric]: aggregate })}
          onSort={(by) => setQuery({
            sort: printSort({ by, descending: sort.by === by ? !sort.descending : by === "field:created" }),
          })} />
      )}
      <footer className="table-foot">
        <span>{needle === "" ? plural(runs.length, "run") : `${formatCount(rows.length)} of ${plural(runs.length, "run")}`}</span>
        <span>{lines.length < wanted ? `${formatCount(lines.length)} of ` : ""}{formatCount(wanted)} drawn</span>
        {running > 0 ? <span className="live-text">{formatCount(running)} running</span> : null}
        {complete ? null : <span>reading…</span>}
        {chosen === null ? null : <button type="button" className="text-button" onClick={() => setQuery({ sel: null })}>draw the newest</button>}
      </footer>
    </section>
  );
  const charts = series ? (
    <section className="charts-side" aria-label="Charts">
      <ChartControls bus={bus} names={names} runs={drawn} />
      {lines.length < wanted ? (
        <p className="muted small" aria-live="polite">
          Charts draw at most {formatCount(MOST_DRAWN)} runs: of the {formatCount(wanted)} that are switched on, the
          first in the order of the table.
        </p>
      ) : null}
      {lines.length === 0 ? (
        <Empty icon="runs" title={shown.size === 0 && chosen === null ? "Nothing was logged yet" : "No run is switched on"}>
          {chosen === null ? "Charts appear with the first point." : "Tick runs in the table to draw them here."}
        </Empty>
      ) : names.length === 0 ? (
        <Empty icon="runs" title="These runs have logged no numbers yet">Charts appear with the first point.</Empty>
      ) : <ChartGrid names={names} runs={drawn} lines={lines} bus={bus} store={series} scope={project} />}
    </section>
  ) : null;

  return (
    <div className={full ? "runs full" : "runs"}>
      {phone ? (
        <Segmented label="What to see" value={face} options={[["table", "Runs"], ["charts", "Charts"]]} onChange={setFace} />
      ) : null}
      {phone ? (face === "table" ? table : charts) : (
        <Splitter share={share} onShare={setShare} full={full} left={table} right={charts} />
      )}
      {deleting ? (
        <DeleteRuns runs={deleting} onClose={(done) => {
          setDeleting(null);
          if (done) setSelected(null);
        }} />
      ) : null}
      {picking ? <ColumnPicker runs={runs} shown={tableColumns} onChange={setColumns} onClose={() => setPicking(false)} /> : null}
    </div>
  );
}

/** The runs as lines of the charts; the same array as long as nothing about them changed. */
function useLines(runs: readonly Run[]): readonly Line[] {
  const drawn = spread(runs.map((run) => slots.of(run)));
  const lines = runs.map(({ id, name }, i): Line => ({ id, name, slot: drawn[i]! }));
  const told = JSON.stringify(lines);
  return useMemo(() => JSON.parse(told) as Line[], [told]);
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
