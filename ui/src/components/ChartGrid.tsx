// The charts of a page: by prefix in sections that fold, with one set of controls for all of them.
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Run } from "../api/types";
import { type Axis, axisMetric } from "../charts/axis";
import type { ChartBus } from "../charts/bus";
import { lineColour, lineDash } from "../charts/ink";
import type { Line, View } from "../charts/line";
import { formatCount, formatNumber, plural } from "../format";
import { place, setQuery } from "../router";
import { type Section, named, sections } from "../store/columns";
import { splitHidden, stepMetricOf } from "../store/metrics";
import { usePref } from "../store/prefs";
import type { SeriesStore } from "../store/series";
import { useStore } from "../store/store";
import { Button, Failure, Segmented } from "./basics";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { LineCard } from "./LineCard";

/** How the charts of a page are drawn, as the address says it. `own`: each over its step metric, or else over the step. */
interface PageView {
  smoothing: number;
  log: boolean;
  axis: Axis | "own";
  /** Only charts whose names hold this. */
  find: string;
}

const AXES: ReadonlySet<string> = new Set(["step", "time", "relative"]);

function usePageView(): PageView {
  const { query } = useStore(place);
  const smoothing = Math.min(0.999, Math.max(0, Number(query.get("smooth") ?? "0") || 0));
  const log = query.get("y") === "log";
  const x = query.get("x") ?? "";
  const axis = (AXES.has(x) || (axisMetric(x) ?? "") !== "" ? x : "own") as Axis | "own";
  const find = query.get("chart") ?? "";
  return useMemo(() => ({ smoothing, log, axis, find }), [smoothing, log, axis, find]);
}

const MANY = 12; // charts above which one is looked for by name

interface ControlProps {
  bus: ChartBus;
  names: readonly string[];
  runs: readonly Run[];
}

export function ChartControls({ bus, names, runs }: ControlProps) {
  const view = usePageView();
  const [zoomed, setZoomed] = useState(bus.zoomed);
  useEffect(() => bus.onZoom(() => setZoomed(bus.zoomed)), [bus]);
  const own = names.some((name) => stepMetricOf(runs, name) !== null);
  const setAxis = (axis: Axis | "own") => {
    bus.setZoom(null);
    setQuery({ x: axis === "own" || (axis === "step" && !own) ? null : axis });
  };
  const kinds: [Axis | "own", string][] = [["step", "Step"], ["time", "Time"], ["relative", "Relative"]];
  if (own) kinds.unshift(["own", "Auto"]);
  const metric = axisMetric(view.axis);
  return (
    <div className="chart-controls">
      <label className="control smoothing">
        <span>Smoothing</span>
        <input type="range" min={0} max={0.99} step={0.01} value={view.smoothing}
          onChange={(event) => setQuery({ smooth: event.target.value === "0" ? null : event.target.value })} />
        <output>{view.smoothing === 0 ? "off" : formatNumber(view.smoothing)}</output>
      </label>
      <div className="axis-choice">
        <Segmented label="X axis" value={view.axis === "own" && !own ? "step" : view.axis} options={kinds} onChange={setAxis} />
        <select aria-label="X axis: a metric" className={metric === null ? "select" : "select chosen"} value={metric ?? ""}
          onChange={(event) => setAxis(event.target.value === "" ? "own" : `metric:${event.target.value}`)}>
          <option value="">{metric === null ? "A metric…" : "No metric"}</option>
          {metric !== null && !names.includes(metric) ? <option value={metric}>{metric}</option> : null}
          {names.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </div>
      <label className="control">
        <input type="checkbox" checked={view.log} onChange={(event) => setQuery({ y: event.target.checked ? "log" : null })} />
        <span>Log y</span>
      </label>
      {names.length > MANY || view.find !== "" ? (
        <input type="search" className="field chart-find" aria-label="Find a chart" placeholder="Find a chart" value={view.find}
          onChange={(event) => setQuery({ chart: event.target.value === "" ? null : event.target.value })} />
      ) : null}
      {zoomed ? <Button icon="search" onClick={() => bus.setZoom(null)}>Reset zoom</Button> : null}
    </div>
  );
}

interface Props {
  names: readonly string[];
  /** The runs that are drawn: they say what is known of their metrics. */
  runs: readonly Run[];
  lines: readonly Line[];
  bus: ChartBus;
  store: SeriesStore;
  /** Under which name it is kept which sections are folded. */
  scope: string;
}

const AT_FIRST = 60; // charts of a section before the rest is asked for

export function ChartGrid({ names, runs, lines, bus, store, scope }: Props) {
  const page = usePageView();
  const [expanded, setExpanded] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const expand = useCallback((metric: string) => setExpanded(metric), []);
  const found = useMemo(() => named(names, page.find), [names, page.find]);
  const { shown, hidden } = splitHidden(runs, found);
  const drawn = all ? found : shown;
  const key = drawn.join("\n");
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the names are a new array on each change of a run
  const grouped = useMemo(() => sections(drawn), [key]);
  const error = useStore(store.follow.error);
  const steps = bus.over("step");
  useEffect(() => {
    const heard = () => store.setWindow(steps.zoom);
    heard();
    return steps.onZoom(heard);
  }, [store, steps]);
  // One view for each x axis, the same as long as nothing changed: charts are not told anew on each change of a run.
  const viewOver = useMemo(() => {
    const made = new Map<Axis, View>();
    return (axis: Axis): View => {
      let view = made.get(axis);
      if (!view) made.set(axis, (view = { smoothing: page.smoothing, log: page.log, axis }));
      return view;
    };
  }, [page]);
  const viewOf = (metric: string): View => {
    // No metric is drawn over itself.
    if (page.axis !== "own") return viewOver(axisMetric(page.axis) === metric ? "step" : page.axis);
    const own = stepMetricOf(runs, metric);
    return viewOver(own === null ? "step" : `metric:${own}`);
  };
  return (
    <div className="chart-grid">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {found.length === 0 ? (
        <p className="quiet-note">No chart’s name holds “{page.find}”.{" "}
          <button type="button" className="text-button" onClick={() => setQuery({ chart: null })}>Show all {formatCount(names.length)}</button></p>
      ) : null}
      {grouped.map((section) => (
        <ChartSection key={section.prefix} section={section} only={grouped.length === 1} scope={scope}>
          {(metric) => (
            <LineCard key={metric} metric={metric} lines={lines} view={viewOf(metric)} bus={bus} store={store} onExpand={expand} />
          )}
        </ChartSection>
      ))}
      {hidden.length === 0 ? null : (
        <p className="hidden-note muted small">
          {plural(hidden.length, "metric")} {all ? "hidden otherwise" : "hidden"}{" "}
          <button type="button" className="text-button" aria-expanded={all} onClick={() => setAll(!all)}>{all ? "hide" : "show"}</button>
        </p>
      )}
      {expanded === null ? null : (
        <Dialog title={expanded} wide onClose={() => setExpanded(null)}>
          <LineCard metric={expanded} lines={lines} view={viewOf(expanded)} bus={bus} store={store} tall />
          <ul className="legend">
            {lines.map((line) => (
              <li key={line.id}>
                <svg className="legend-line" width="22" height="10" aria-hidden="true"><line x1="1" x2="21" y1="5" y2="5" stroke={lineColour(line.slot)} strokeWidth="2.4"
                  strokeDasharray={lineDash(line.slot).join(" ")} /></svg>
                {line.name}
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </div>
  );
}

export function ChartSection(props: {
  section: Section; only: boolean; scope: string; children: (name: string) => JSX.Element;
  className?: string;
  /** What stands for the names without a prefix. */
  title?: string;
}) {
  const title = props.title ?? "Charts";
  const { prefix, names } = props.section;
  const [folded, setFolded] = usePref<string[]>(`folded.${props.scope}`, []);
  const [most, setMost] = useState(AT_FIRST);
  const open = !folded.includes(prefix);
  const toggle = () => setFolded(open ? [...folded, prefix] : folded.filter((each) => each !== prefix));
  return (
    <section className="chart-section" aria-label={prefix === "" ? title : prefix}>
      {props.only && prefix === "" ? null : (
        <h2>
          <button type="button" className="fold" aria-expanded={open} onClick={toggle}>
            <Icon name={open ? "chevron" : "right"} size={14} />
            {prefix === "" ? title : prefix}
            <span className="count">{names.length}</span>
          </button>
        </h2>
      )}
      {open ? <div className={props.className ?? "cards"}>{names.slice(0, most).map(props.children)}</div> : null}
      {open && names.length > most
        ? <Button onClick={() => setMost(most + AT_FIRST)}>Show {Math.min(AT_FIRST, names.length - most)} more of {names.length}</Button>
        : null}
    </section>
  );
}
