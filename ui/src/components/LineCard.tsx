// A chart in its card: the canvas lives outside React, which only tells it what to show.
import { type ReactNode, memo, useEffect, useRef, useState } from "react";
import { abscissaOf, axisMetric } from "../charts/axis";
import type { ChartBus } from "../charts/bus";
import { type Line, LineChart, type View } from "../charts/line";
import { Means } from "../charts/mean";
import type { SeriesStore } from "../store/series";
import { IconButton, useNear } from "./basics";

interface Props {
  metric: string;
  lines: readonly Line[];
  view: View;
  /** The page's bus; the chart uses the one of its own x axis. */
  bus: ChartBus;
  store: SeriesStore;
  onExpand?: (metric: string) => void;
  tall?: boolean;
  /** What stands below the chart; the same one as long as nothing about it changes. */
  foot?: ReactNode;
}

export const LineCard = memo(function LineCard({ metric, lines, view, bus, store, onExpand, tall, foot }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  const [reading, setReading] = useState("");
  const near = useNear(body);
  const { axis } = view;
  const groups = useRef<ReadonlyMap<string, Line>>(new Map());
  const x = axisMetric(axis);

  useEffect(() => {
    if (!near) return;
    const means = new Means();
    const source = (id: string) => {
      const line = groups.current.get(id);
      if (!line?.members) return store.get(id, metric, x);
      const held = line.members.map((run) => store.get(run, metric, x));
      const known = held.filter((series): series is NonNullable<typeof series> => series !== undefined);
      return known.length === 0 ? undefined : means.get(id, known, abscissaOf(axis), line.spread ?? "sd");
    };
    const made = new LineChart(body.current!, metric, bus.over(axis), source);
    made.onReading = setReading;
    chart.current = made;
    const forget = store.need(metric, x, () => made.changed());
    return () => {
      forget();
      made.close();
      chart.current = null;
    };
  }, [near, metric, bus, store, axis, x]);

  useEffect(() => {
    groups.current = new Map(lines.filter(({ members }) => members).map((line) => [line.id, line]));
    chart.current?.set(lines, view);
  }, [near, lines, view, metric, bus, store]);

  const slash = metric.indexOf("/");
  return (
    <section className={tall ? "chart-card tall" : "chart-card"} aria-label={metric}>
      <header className="chart-head">
        <h3 title={metric}>
          {slash > 0 ? <span className="muted">{metric.slice(0, slash + 1)}</span> : null}
          {metric.slice(slash + 1)}
          {x === null ? null : <span className="muted"> over {x}</span>}
        </h3>
        {onExpand ? <IconButton icon="expand" label={`Enlarge ${metric}`} className="small"
          onClick={() => onExpand(metric)} /> : null}
      </header>
      {/* Arrow keys move the cursor along the line: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="line chart"
        aria-label={`${metric}, ${lines.length} ${lines.length === 1 ? "line" : "lines"}; arrow keys read the values`} />
      <p className="unseen" aria-live="polite">{reading}</p>
      {foot}
    </section>
  );
});
