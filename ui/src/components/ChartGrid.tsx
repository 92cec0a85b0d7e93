// The charts of a page: by prefix in sections that fold, with one set of controls for all of them.
import { useCallback, useEffect, useMemo, useState } from "react";
import { ChartBus } from "../charts/bus";
import { lineColour } from "../charts/ink";
import type { Line, View } from "../charts/line";
import { formatNumber } from "../format";
import { place, setQuery } from "../router";
import { type Section, sections } from "../store/columns";
import { usePref } from "../store/prefs";
import type { SeriesStore } from "../store/series";
import { useStore } from "../store/store";
import { Button, Failure, Segmented } from "./basics";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { LineCard } from "./LineCard";

/** How charts are drawn, as the address says it. */
export function useView(): View {
  const { query } = useStore(place);
  const smoothing = Math.min(0.999, Math.max(0, Number(query.get("smooth") ?? "0") || 0));
  const log = query.get("y") === "log";
  const axis = query.get("x") === "time" ? "time" : "step";
  return useMemo(() => ({ smoothing, log, axis }), [smoothing, log, axis]);
}

export function ChartControls({ bus }: { bus: ChartBus }) {
  const view = useView();
  const [zoomed, setZoomed] = useState(bus.zoom !== null);
  useEffect(() => bus.onZoom(() => setZoomed(bus.zoom !== null)), [bus]);
  return (
    <div className="chart-controls">
      <label className="control smoothing">
        <span>Smoothing</span>
        <input type="range" min={0} max={0.99} step={0.01} value={view.smoothing}
          onChange={(event) => setQuery({ smooth: event.target.value === "0" ? null : event.target.value })} />
        <output>{view.smoothing === 0 ? "off" : formatNumber(view.smoothing)}</output>
      </label>
      <Segmented label="X axis" value={view.axis} options={[["step", "Step"], ["time", "Time"]]}
        onChange={(axis) => {
          bus.setZoom(null);
          setQuery({ x: axis === "step" ? null : axis });
        }} />
      <label className="control">
        <input type="checkbox" checked={view.log} onChange={(event) => setQuery({ y: event.target.checked ? "log" : null })} />
        <span>Log y</span>
      </label>
      {zoomed ? <Button icon="search" onClick={() => bus.setZoom(null)}>Reset zoom</Button> : null}
    </div>
  );
}

interface Props {
  names: readonly string[];
  lines: readonly Line[];
  bus: ChartBus;
  store: SeriesStore;
  /** Under which name it is kept which sections are folded. */
  scope: string;
}

const AT_FIRST = 60; // charts of a section before the rest is asked for

export function ChartGrid({ names, lines, bus, store, scope }: Props) {
  const view = useView();
  const [expanded, setExpanded] = useState<string | null>(null);
  const expand = useCallback((metric: string) => setExpanded(metric), []);
  const key = names.join("\n");
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the names are a new array on each change of a run
  const grouped = useMemo(() => sections(names), [key]);
  const error = useStore(store.follow.error);
  useEffect(() => {
    const heard = () => store.setWindow(view.axis === "step" ? bus.zoom : null);
    heard();
    return bus.onZoom(heard);
  }, [store, bus, view.axis]);
  return (
    <div className="chart-grid">
      {error ? <Failure error={error} retry={store.follow.read} /> : null}
      {grouped.map((section) => (
        <ChartSection key={section.prefix} section={section} only={grouped.length === 1} scope={scope}>
          {(metric) => (
            <LineCard key={metric} metric={metric} lines={lines} view={view} bus={bus} store={store} onExpand={expand} />
          )}
        </ChartSection>
      ))}
      {expanded === null ? null : (
        <Dialog title={expanded} wide onClose={() => setExpanded(null)}>
          <LineCard metric={expanded} lines={lines} view={view} bus={bus} store={store} tall />
          <ul className="legend">
            {lines.map((line) => (
              <li key={line.id}><span className="swatch" style={{ background: lineColour(line.slot) }} />{line.name}</li>
            ))}
          </ul>
        </Dialog>
      )}
    </div>
  );
}

function ChartSection(props: {
  section: Section; only: boolean; scope: string; children: (metric: string) => JSX.Element;
}) {
  const { prefix, names } = props.section;
  const [folded, setFolded] = usePref<string[]>(`folded.${props.scope}`, []);
  const [most, setMost] = useState(AT_FIRST);
  const open = !folded.includes(prefix);
  const toggle = () => setFolded(open ? [...folded, prefix] : folded.filter((each) => each !== prefix));
  return (
    <section className="chart-section" aria-label={prefix === "" ? "Charts" : prefix}>
      {props.only && prefix === "" ? null : (
        <h2>
          <button type="button" className="fold" aria-expanded={open} onClick={toggle}>
            <Icon name={open ? "chevron" : "right"} size={14} />
            {prefix === "" ? "Charts" : prefix}
            <span className="count">{names.length}</span>
          </button>
        </h2>
      )}
      {open ? <div className="cards">{names.slice(0, most).map(props.children)}</div> : null}
      {open && names.length > most
        ? <Button onClick={() => setMost(most + AT_FIRST)}>Show {Math.min(AT_FIRST, names.length - most)} more of {names.length}</Button>
        : null}
    </section>
  );
}
