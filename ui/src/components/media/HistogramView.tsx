// A histogram at a step, and all of them over the steps as a heat map in which a step can be chosen.
import { useEffect, useMemo, useRef, useState } from "react";
import { BarsChart } from "../../charts/bars";
import { type Histogram, describe, heatOf } from "../../charts/bins";
import { HeatChart } from "../../charts/heatmap";
import { formatCount, formatNumber } from "../../format";
import type { Entry } from "../../store/history";

interface Props {
  name: string;
  histogram: Histogram;
  slot: number;
  /** All that were read, by step. */
  entries: readonly Entry[];
  step: number;
  onStep: (step: number) => void;
}

export function HistogramView({ name, histogram, slot, entries, step, onStep }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<BarsChart | null>(null);
  const [reading, setReading] = useState("");
  useEffect(() => {
    const made = new BarsChart(body.current!, name);
    made.onReading = setReading;
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [name]);
  useEffect(() => chart.current?.set(histogram, slot), [name, histogram, slot]);
  const { total, low, high, mean, median } = useMemo(() => describe(histogram), [histogram]);
  return (
    <>
      {/* Arrow keys go from bin to bin: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="histogram"
        aria-label={`${name}, ${formatCount(histogram.counts.length)} bins; arrow keys read them`} />
      <p className="unseen" aria-live="polite">{reading}</p>
      {total === 0 ? <p className="media-facts muted small">It counts nothing.</p> : (
        <p className="media-facts muted small">
          {formatCount(total)} values from {formatNumber(low)} to {formatNumber(high)}, mean ≈ {formatNumber(mean)}, median ≈ {formatNumber(median)}
        </p>
      )}
      {entries.length > 1 ? <Heat name={name} entries={entries} step={step} onStep={onStep} /> : null}
    </>
  );
}

function Heat({ name, entries, step, onStep }: Pick<Props, "name" | "entries" | "step" | "onStep">) {
  const body = useRef<HTMLElement>(null);
  const chart = useRef<HeatChart | null>(null);
  const steps = useMemo(() => entries.flatMap(({ step: at, typed }) =>
    (typed.kind === "histogram" ? [{ step: at, histogram: typed }] : [])), [entries]);
  const grid = useMemo(() => heatOf(steps), [steps]);
  useEffect(() => {
    const made = new HeatChart(body.current!, `${name} over steps`);
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [name]);
  useEffect(() => {
    if (!chart.current || !grid) return;
    const stride = Math.ceil(steps.length / (grid.xs.length - 1));
    const at = (column: number) => steps[Math.min(steps.length - 1, column * stride)]!.step;
    const rows = grid.ys.length - 1;
    chart.current.onPick = (column) => onStep(at(column));
    chart.current.set({
      grid, xKind: "step", chosen: step, emptyAtZero: true,
      words: (column, row) => ({
        heading: `step ${formatCount(at(column))}, ${formatNumber(grid.ys[row]!)} to ${formatNumber(grid.ys[row + 1]!)}`,
        value: `${formatNumber(grid.cells[column * rows + row]! * 100)} % of the step's fullest bin`,
      }),
    });
  }, [name, grid, steps, step, onStep]);
  return <figure className="chart heat" ref={body} aria-label={`${name} over ${steps.length} steps; the slider below chooses a step`} />;
}
