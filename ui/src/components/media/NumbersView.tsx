// Logged vectors and matrices: a line over the index, a heat map.
import { useEffect, useMemo, useRef, useState } from "react";
import { gridOf } from "../../charts/bins";
import { ChartBus } from "../../charts/bus";
import { HeatChart } from "../../charts/heatmap";
import { LineChart } from "../../charts/line";
import { Series } from "../../charts/series";
import { formatMetric, formatNumber } from "../../format";

export function VectorView({ name, values, slot }: { name: string; values: readonly number[]; slot: number }) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  const series = useRef(new Series());
  const [reading, setReading] = useState("");
  useEffect(() => {
    const made = new LineChart(body.current!, name, new ChartBus(), () => series.current);
    made.onReading = setReading;
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [name]);
  useEffect(() => {
    const count = values.length;
    const steps = Float64Array.from({ length: count }, (_, i) => i);
    series.current = new Series({
      run: name, key: name, count, kind: "raw", n: count,
      columns: new Map([["steps", steps], ["times", steps], ["values", Float64Array.from(values)]]),
    });
    chart.current?.set([{ id: name, name: "value", slot }], { smoothing: 0, log: false, axis: "index" });
  }, [name, values, slot]);
  return (
    <>
      {/* Arrow keys move the cursor along the line: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="line chart"
        aria-label={`${name}, ${values.length} numbers over their index; arrow keys read the values`} />
      <p className="unseen" aria-live="polite">{reading}</p>
    </>
  );
}

export function MatrixView({ name, rows }: { name: string; rows: readonly (readonly number[])[] }) {
  const body = useRef<HTMLElement>(null);
  const chart = useRef<HeatChart | null>(null);
  const { grid, low, high } = useMemo(() => gridOf(rows), [rows]);
  useEffect(() => {
    const made = new HeatChart(body.current!, name);
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [name]);
  useEffect(() => chart.current?.set({
    grid, xKind: "index", downwards: true, chosen: null, emptyAtZero: false,
    words: (column, row) => ({ heading: `row ${row}, column ${column}`, value: formatMetric(rows[row]?.[column] ?? NaN) }),
  }), [name, grid, rows]);
  return (
    <>
      <figure className="chart heat" ref={body} aria-label={`${name}, ${rows.length} rows of ${rows[0]?.length ?? 0} numbers`} />
      <p className="media-facts muted small">{rows.length} × {rows[0]?.length ?? 0}, from {formatNumber(low)} to {formatNumber(high)}</p>
    </>
  );
}
