// The parallel coordinates of a sweep in their card.
import { useEffect, useRef } from "react";
import { ParallelChart, type ParallelState } from "../charts/parallel";
import { Button } from "./basics";

interface Props {
  state: ParallelState;
  lit: number | null;
  brushed: ReadonlySet<number> | null;
  onLit: (trial: number | null) => void;
  onBrush: (trials: ReadonlySet<number> | null) => void;
}

export function ParallelCard({ state, lit, brushed, onLit, onBrush }: Props) {
  const body = useRef<HTMLElement>(null);
  const chart = useRef<ParallelChart | null>(null);
  useEffect(() => {
    const made = new ParallelChart(body.current!, "Parameters");
    made.onHot = onLit;
    made.onBrush = onBrush;
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [onLit, onBrush]);
  useEffect(() => chart.current?.set(state), [state, onLit, onBrush]);
  useEffect(() => chart.current?.show(lit), [lit]);
  return (
    <section className="chart-card wide" aria-label="Parameters">
      <header className="chart-head">
        <h3>Parameters <span className="muted">drag along an axis to filter</span></h3>
        {brushed === null ? null : <Button onClick={() => chart.current?.clear()}>Clear the filter</Button>}
      </header>
      <figure className="chart" ref={body} aria-label="Each trial as a line through its parameters to its objective; the table below holds the same numbers" />
    </section>
  );
}
