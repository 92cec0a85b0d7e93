// A scatter chart in its card, made when it comes near the screen.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ScatterChart, type ScatterState } from "../charts/scatter";
import { navigate, pathOf } from "../router";
import { useNear } from "./basics";

interface Props {
  title: string;
  /** In short what stands above the chart; the title where it is absent. */
  head?: ReactNode;
  state: ScatterState;
  project: string;
  lit: number | null;
  onLit: (trial: number | null) => void;
  children?: ReactNode;
}

export function ScatterCard({ title, head, state, project, lit, onLit, children }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<ScatterChart | null>(null);
  const [reading, setReading] = useState("");
  const near = useNear(body);
  useEffect(() => {
    if (!near) return;
    const made = new ScatterChart(body.current!, title);
    made.onReading = setReading;
    made.onHot = onLit;
    made.onOpen = (run) => navigate(pathOf({ page: "run", project, run }));
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [near, title, project, onLit]);
  useEffect(() => chart.current?.set(state), [state, near, title, project, onLit]);
  useEffect(() => chart.current?.show(lit), [lit]);
  return (
    <section className="chart-card" aria-label={title}>
      <header className="chart-head"><h3 title={title}>{head ?? title}</h3></header>
      {/* Arrow keys go from trial to trial: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="chart"
        aria-label={`${title}, ${state.points.length} trials; arrow keys read the values, Enter opens the run`} />
      <p className="unseen" aria-live="polite">{reading}</p>
      {children}
    </section>
  );
}
