// Lanes over time in their card: what is drawn, what is read aloud, and where Enter leads.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { LanesChart, type LanesState, lanesHeight } from "../charts/lanes";
import { navigate, pathOf } from "../router";

interface Props {
  title: string;
  /** What the lanes show and what the keys do in them, for who does not see it. */
  label: string;
  state: LanesState;
  /** Above the lanes. */
  head: ReactNode;
  children?: ReactNode;
}

export function LanesView({ title, label, state, head, children }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const chart = useRef<LanesChart | null>(null);
  const [reading, setReading] = useState("");
  useEffect(() => {
    const made = new LanesChart(body.current!, title);
    made.onReading = setReading;
    made.onOpen = ({ run, project }) => {
      if (run !== null && project !== null) navigate(pathOf({ page: "run", project, run }));
    };
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [title]);
  useEffect(() => chart.current?.set(state), [state, title]);
  return (
    <section className="chart-card lanes-card" aria-label={title}>
      <header className="chart-head">{head}</header>
      {/* Arrow keys go from span to span: to a screen reader it is an application of its own. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="lanes" ref={body} tabIndex={0} role="application" aria-roledescription="chart" aria-label={label}
        style={{ height: lanesHeight(state.lanes.length) }} />
      <p className="unseen" aria-live="polite">{reading}</p>
      {children}
    </section>
  );
}
