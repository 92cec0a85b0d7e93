// Runs side by side, of any projects: what differs in configuration, results, code, environment and files; their charts below.
import { useEffect, useMemo, useState } from "react";
import { ChartBus } from "../charts/bus";
import { COLOURS } from "../charts/palette";
import { Button, Empty, Failure, IconButton, Link, Scrolled, Skeleton, copy } from "../components/basics";
import { Icon } from "../components/Icon";
import { Menu } from "../components/Menu";
import { Pill } from "../components/Pill";
import type { Run } from "../api/types";
import { formatCount, plural } from "../format";
import { useKeys } from "../keys";
import { pathOf, place, setQuery } from "../router";
import { slots } from "../store/colours";
import {
  type CompareCell, type CompareRow, type CompareSection, type Compared, CompareStore, MOST_COMPARED, asGrid, chosenRows, deltaText, sectionsOf, toLatex, toMarkdown,
  transposed,
} from "../store/compare";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { toCSV } from "../store/tables";
import { RunsCharts, useLines } from "./RunsCharts";

export function ComparePage({ project }: { project: string }) {
  const { query } = useStore(place);
  const named = [...new Set((query.get("runs") ?? "").split(",").filter((id) => id !== ""))];
  const ids = named.slice(0, MOST_COMPARED);
  const key = [...ids].sort().join(",");
  const store = useOwned(() => new CompareStore(key === "" ? [] : key.split(",")), [key]);
  useEffect(() => {
    document.title = "Compare · Martlet";
  }, []);
  if (ids.length === 0) {
    return (
      <div className="page narrow">
        <Empty icon="compare" title="No runs to compare">
          <p>Select runs in the table and choose <em>Compare</em>, or select them with <kbd>Space</kbd> and press <kbd>c</kbd>.</p>
          <Link to={pathOf({ page: "runs", project })}>The runs of {project}</Link>
        </Empty>
      </div>
    );
  }
  return store ? <Loaded project={project} ids={ids} more={named.length - ids.length} store={store} /> : null;
}

function Loaded({ project, ids, more, store }: { project: string; ids: readonly string[]; more: number; store: CompareStore }) {
  const { all, missing, cut, complete } = useStore(store.state);
  const error = useStore(store.follow.error);
  // The order is the address's: the first is the baseline.
  const inOrder = useMemo(() => ids.flatMap((id) => all.find(({ run }) => run.id === id) ?? []), [ids, all]);
  if (!complete) return <div className="page">{error ? <Failure error={error} retry={store.follow.read} /> : <Skeleton rows={10} label="Reading the runs" />}</div>;
  return (
    <div className="page compare">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {missing.length > 0 ? <p className="warning"><Icon name="question" size={14} />{missing.join(", ")}: no such run any more.</p> : null}
      {more > 0 ? <p className="warning"><Icon name="question" size={14} />The first {MOST_COMPARED} runs are compared, {formatCount(more)} are left out.</p> : null}
      {cut.length > 0 ? <p className="warning"><Icon name="question" size={14} />{cut.join(", ")}: only the first files are compared.</p> : null}
      {inOrder.length === 0 ? <Empty icon="compare" title="None of these runs exists" /> : <Compared project={project} all={inOrder} />}
    </div>
  );
}

function Compared({ project, all }: { project: string; all: readonly Compared[] }) {
  const { query } = useStore(place);
  const onlyDiff = query.get("all") === null;
  const turned = query.get("turn") !== null;
  const search = query.get("find") ?? "";
  const runs = useMemo(() => all.map(({ run }) => run), [all]);
  const sections = useMemo(() => sectionsOf(all).map((section) => ({ ...section, chosen: chosenRows(section, onlyDiff, search) })), [all, onlyDiff, search]);
  const setRuns = (next: readonly Run[]) => setQuery({ runs: next.map(({ id }) => id).join(",") });
  const alike = sections.filter(({ chosen }) => chosen.length === 0);
  const asText = () => {
    const grid = asGrid(runs, sections.map(({ title, chosen }) => ({ title, rows: chosen })));
    return turned ? transposed(grid) : grid;
  };
  useKeys([
    { key: "d", does: "only what differs, or everything", run: () => setQuery({ all: onlyDiff ? "1" : null }) },
    { key: "t", does: "runs as rows, or as columns", run: () => setQuery({ turn: turned ? null : "1" }) },
  ]);
  const heads = { runs, onBaseline: (run: Run) => setRuns([run, ...runs.filter((each) => each !== run)]), onRemove: (run: Run) => setRuns(runs.filter((each) => each !== run)) };
  const one = runs.length === 1;
  return (
    <>
      <header className="page-head">
        <div className="page-title">
          <p className="crumbs"><Link to={pathOf({ page: "runs", project })} className="quiet-link">Runs</Link></p>
          <h1>Compare {plural(runs.length, "run")}</h1>
          <p className="sentence">The first is the baseline: the others&apos; numbers say how far they are from it.</p>
        </div>
        <Menu label="Copy the table" icon="copy" items={[
          { word: "Copy as CSV", icon: "copy", run: () => void copy(csv(asText())) },
          { word: "Copy as Markdown", icon: "copy", run: () => void copy(toMarkdown(asText())) },
          { word: "Copy as LaTeX", icon: "copy", run: () => void copy(toLatex(asText())) },
        ]} />
      </header>
      <div className="toolbar compare-tools">
        <label className="control">
          <input type="checkbox" checked={onlyDiff && !one} disabled={one} onChange={(event) => setQuery({ all: event.target.checked ? null : "1" })} />
          <span>Only what differs</span>
        </label>
        <input type="search" className="field" aria-label="Find a name" placeholder="Find a name; !name leaves out" value={search}
          onChange={(event) => setQuery({ find: event.target.value === "" ? null : event.target.value })} />
        <Button icon="swap" onClick={() => setQuery({ turn: turned ? null : "1" })}>Transpose</Button>
      </div>
      {sections.every(({ chosen }) => chosen.length === 0)
        ? <p className="quiet-note">{search !== "" ? "Nothing of this name differs." : "These runs differ in nothing that is known of them."}</p> : null}
      {sections.map(({ title, rows, chosen }) => (chosen.length === 0 ? null : (
        <section key={title} className="card compare-section" aria-label={title}>
          <header className="card-head">
            <h2>{title}<span className="count">{chosen.length === rows.length ? formatCount(rows.length) : `${formatCount(chosen.length)} of ${formatCount(rows.length)}`}</span></h2>
          </header>
          {turned ? <Turned title={title} rows={chosen} {...heads} /> : <Straight title={title} rows={chosen} {...heads} />}
        </section>
      )))}
      {onlyDiff && search === "" && alike.length > 0 && alike.length < sections.length
        ? <p className="muted small alike-note">The same in all of them: {alike.map(({ title, rows }) => `${title} (${formatCount(rows.length)})`).join(", ")}.</p> : null}
      <CompareCharts project={project} runs={runs} />
    </>
  );
}

const csv = (grid: string[][]) => toCSV(grid[0] ?? [], grid.slice(1));

interface TableProps {
  title: CompareSection["title"];
  rows: readonly CompareRow[];
  runs: readonly Run[];
  onBaseline: (run: Run) => void;
  onRemove: (run: Run) => void;
}

function RunHead({ run, baseline, onBaseline, onRemove }: { run: Run; baseline: boolean; onBaseline: (run: Run) => void; onRemove: (run: Run) => void }) {
  return (
    <span className="compare-head">
      <span className={`swatch line-${slots.of(run) % COLOURS}`} />
      <Link to={pathOf({ page: "run", project: run.project, run: run.id })} className="run-link" title={`${run.name} of ${run.project}`}>{run.name}</Link>
      {run.state === "finished" ? null : <Pill state={run.state} />}
      {baseline ? <span className="tag">baseline</span>
        : <IconButton icon="star" label={`Make ${run.name} the baseline`} className="small" onClick={() => onBaseline(run)} />}
      <IconButton icon="cross" label={`Take ${run.name} out`} className="small" onClick={() => onRemove(run)} />
    </span>
  );
}

function Value({ cell }: { cell: CompareCell }) {
  if (cell.text === "") return <span className="faint">–</span>;
  return (
    <>
      <span className="compare-value" title={cell.text}>{cell.text}</span>
      {cell.delta ? (
        <span className={cell.delta.better === null ? "delta" : cell.delta.better ? "delta good" : "delta bad"}>
          {cell.delta.better === null ? "" : <span aria-label={cell.delta.better ? "better" : "worse"}>{cell.delta.better ? "▲ " : "▼ "}</span>}
          {deltaText(cell.delta)}
        </span>
      ) : null}
    </>
  );
}

function Straight({ title, rows, runs, onBaseline, onRemove }: TableProps) {
  return (
    <Scrolled label={`${title}, compared`}>
      <table className="plain compare-table">
        <thead>
          <tr>
            <th scope="col"><span className="unseen">Name</span></th>
            {runs.map((run, i) => <th key={run.id} scope="col"><RunHead run={run} baseline={i === 0} onBaseline={onBaseline} onRemove={onRemove} /></th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} className={row.differs ? undefined : "alike"}>
              <th scope="row" title={row.name}>{row.name}</th>
              {row.cells.map((cell, i) => <td key={runs[i]!.id}><Value cell={cell} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Turned({ title, rows, runs, onBaseline, onRemove }: TableProps) {
  return (
    <Scrolled label={`${title}, compared`}>
      <table className="plain compare-table">
        <thead>
          <tr><th scope="col">Run</th>{rows.map(({ name }) => <th key={name} scope="col" title={name}>{name}</th>)}</tr>
        </thead>
        <tbody>
          {runs.map((run, i) => (
            <tr key={run.id}>
              <th scope="row"><RunHead run={run} baseline={i === 0} onBaseline={onBaseline} onRemove={onRemove} /></th>
              {rows.map((row) => <td key={row.name}><Value cell={row.cells[i]!} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function CompareCharts({ project, runs }: { project: string; runs: readonly Run[] }) {
  const [bus] = useState(() => new ChartBus());
  const lines = useLines(runs);
  return (
    <RunsCharts project={project} bus={bus} runs={runs} lines={lines} wanted={lines.length} runOf={(id) => runs.find((run) => run.id === id)}
      none={{ title: "Nothing to draw", text: "These runs have logged no numbers." }} />
  );
}
