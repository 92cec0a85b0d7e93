// The history chart of a sweep in its card.
import { useEffect, useRef, useState } from "react";
import { HistoryChart, type HistoryState } from "../charts/history";
import { kindsOf } from "../charts/marks";
import { navigate, pathOf, setQuery } from "../router";
import { Segmented } from "./basics";
import { MarkLegend } from "./MarkLegend";

interface Props {
  title: string;
  state: HistoryState;
  project: string;
  /** All values are above 0. */
  mayBeLog: boolean;
  /** The trial that is pointed at in the table. */
  lit: number | null;
  onLit: (trial: number | null) => void;
}

export function HistoryCard({ title, state, project, mayBeLog, lit, onLit }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<HistoryChart | null>(null);
  const [reading, setReading] = useState("");

  useEffect(() => {
    const made = new HistoryChart(body.current!, title);
    made.onReading = setReading;
    made.onHot = onLit;
    made.onOpen = ({ run }) => {
      if (run !== null) navigate(pathOf({ page: "run", project, run }));
    };
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [title, project, onLit]);
  useEffect(() => chart.current?.set(state), [state, title, project, onLit]);
  useEffect(() => chart.current?.show(lit), [lit]);

  return (
    <section className="chart-card wide" aria-label={title}>
      <header className="chart-head">
        <h3>{title}</h3>
        {mayBeLog ? (
          <Segmented label="Scale" value={state.log ? "log" : "linear"} options={[["linear", "linear"], ["log", "log"]]}
            onChange={(scale) => setQuery({ y: scale === "log" ? "log" : null })} />
        ) : null}
      </header>
      {/* Arrow keys go from trial to trial: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart" ref={body} tabIndex={0} role="application" aria-roledescription="chart"
        aria-label={`${title}, ${state.points.length} trials; arrow keys read the values, Enter opens the run`} />
      <p className="unseen" aria-live="polite">{reading}</p>
      {state.points.length === 0 ? null : <MarkLegend kinds={kindsOf(state.points)} line={{ word: "best so far", token: "accent" }} />}
    </section>
  );
}
