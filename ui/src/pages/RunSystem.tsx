// What the machine did while a run went on: processor, memory, disk, network, GPUs, live.
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { tracking } from "../api/tracking";
import type { Run, SystemMetric } from "../api/types";
import type { Axis } from "../charts/axis";
import { ChartBus } from "../charts/bus";
import { type Line, LineChart } from "../charts/line";
import { Button, Empty, Failure, Segmented, Skeleton, useNear } from "../components/basics";
import { COLOURS } from "../charts/palette";
import { toNumber } from "../format";
import { useOften, useOnce } from "../store/once";
import { useOwned } from "../store/owned";
import { hasEnded } from "../store/runs";
import { SeriesStore } from "../store/series";
import { type SystemChart, rangeText, systemSections, withUnit } from "../store/system";

export function RunSystem({ run }: { run: Run }) {
  const active = !hasEnded(run.state);
  const { value, error, again } = useOnce((signal) => tracking.system(run.id, signal), `${run.id} ${active}`);
  useOften(again, active); // the numbers below the charts
  if (value === null) return error ? <Failure error={error} retry={again} /> : <Skeleton rows={6} label="Reading the system metrics" />;
  if (value.metrics.length === 0) {
    return (
      <Empty icon="chip" title={active ? "Nothing was sampled yet" : "Nothing was sampled"}>
        {active ? "Processor, memory, disk, network and GPUs show here within seconds."
          : "The run ended before the first sample, or sampling was switched off: martlet up --sample-every 0, or capture= in Python."}
      </Empty>
    );
  }
  return <System run={run} metrics={value.metrics} />;
}

function System({ run, metrics }: { run: Run; metrics: readonly SystemMetric[] }) {
  const [bus] = useState(() => new ChartBus());
  const [axis, setAxis] = useState<Axis>("relative");
  const [zoomed, setZoomed] = useState(false);
  useEffect(() => bus.onZoom(() => setZoomed(bus.zoomed)), [bus]);
  // Samples may come on after the run has ended, until its machine has heard of that.
  const store = useOwned(() => new SeriesStore(() => null, true), [run.id]);
  useEffect(() => store?.setRuns([run.id]), [store, run.id]);
  const names = metrics.map(({ name }) => name).join("\n");
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the names decide which charts there are
  const sections = useMemo(() => systemSections(metrics), [names]);
  const error = useOwnedError(store);
  if (!store) return null;
  return (
    <div className="run-charts system">
      <div className="chart-controls">
        <Segmented label="X axis" value={axis} options={[["relative", "Since the start"], ["time", "Clock"]]} onChange={(next) => {
          bus.setZoom(null);
          setAxis(next);
        }} />
        {zoomed ? <Button icon="search" onClick={() => bus.setZoom(null)}>Reset zoom</Button> : null}
      </div>
      {error}
      <div className="chart-grid">
        {sections.map(({ title, charts }) => (
          <section key={title} className="chart-section" aria-label={title}>
            <h2>{title}</h2>
            <div className="cards">
              {charts.map((chart) => <SystemCard key={chart.title} run={run.id} section={title} chart={chart} metrics={metrics} axis={axis} bus={bus} store={store} />)}
            </div>
          </section>
        ))}
      </div>
    </div>
  );
}

function useOwnedError(store: SeriesStore | null): JSX.Element | null {
  const [, turn] = useState(0);
  useEffect(() => store?.follow.error.subscribe(() => turn((before) => before + 1)), [store]);
  const error = store?.follow.error.value ?? null;
  return error && store ? <Failure error={error} retry={store.follow.read} /> : null;
}

interface CardProps {
  run: string;
  section: string;
  chart: SystemChart;
  metrics: readonly SystemMetric[];
  axis: Axis;
  bus: ChartBus;
  store: SeriesStore;
}

const SystemCard = memo(function SystemCard({ run, section, chart, metrics, axis, bus, store }: CardProps) {
  const body = useRef<HTMLDivElement>(null);
  const [reading, setReading] = useState("");
  const near = useNear(body);
  const title = `${section}: ${chart.title}`;
  const key = chart.lines.map(({ metric }) => metric).join("\n");
  const write = useCallback((value: number) => withUnit(value, chart.unit.startsWith("%") ? "%" : chart.unit), [chart.unit]);
  useEffect(() => {
    if (!near) return;
    const all = key.split("\n");
    const made = new LineChart(body.current!, title, bus.over(axis), (metric) => store.get(run, metric));
    made.onReading = setReading;
    const forget = all.map((metric) => store.need(metric, null, () => made.changed()));
    made.set(all.map((metric, slot): Line => ({ id: metric, name: shortName(chart, metric), slot })), { smoothing: 0, log: false, axis, write });
    return () => {
      forget.forEach((each) => each());
      made.close();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the names of a chart's lines follow from their metrics
  }, [near, run, title, key, bus, store, axis, write]);
  return (
    <section className="chart-card" aria-label={title}>
      <header className="chart-head"><h3>{chart.title}{chart.unit === "" ? null : <span className="muted"> {chart.unit}</span>}</h3></header>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- arrow keys move the cursor along the line */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="line chart"
        aria-label={`${title}, ${chart.lines.length} ${chart.lines.length === 1 ? "line" : "lines"}; arrow keys read the values`} />
      <dl className="system-facts">
        {chart.lines.map(({ metric, name }, slot) => {
          const entry = metrics.find((each) => each.name === metric);
          const text = (value: SystemMetric["last"] | undefined) => write(toNumber(value)).replaceAll(" ", "\u00a0");
          return (
            <div key={metric}>
              <dt><span className={`swatch line-${slot % COLOURS}`} />{name}</dt>
              <dd><strong>{text(entry?.last)}</strong><span className="muted"> mean {text(entry?.mean)}, {rangeText(text(entry?.min), text(entry?.max))}</span></dd>
            </div>
          );
        })}
      </dl>
      <p className="unseen" aria-live="polite">{reading}</p>
    </section>
  );
});

const shortName = (chart: SystemChart, metric: string): string => chart.lines.find((line) => line.metric === metric)?.name ?? metric;
