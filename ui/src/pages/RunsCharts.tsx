// The charts beside the table of runs: a line for each run that is switched on, or for each group a mean with its band.
import { useEffect, useMemo, useRef } from "react";
import type { Run } from "../api/types";
import type { ChartBus } from "../charts/bus";
import type { Line } from "../charts/line";
import { Empty } from "../components/basics";
import { ChartControls, ChartGrid } from "../components/ChartGrid";
import { formatCount } from "../format";
import { slots, spread } from "../store/colours";
import { metricNames } from "../store/columns";
import { MOST_DRAWN } from "../store/drawn";
import { useOwned } from "../store/owned";
import { endedAs } from "../store/runs";
import { SeriesStore } from "../store/series";

interface Props {
  project: string;
  bus: ChartBus;
  /** All runs that lines are made of. */
  runs: readonly Run[];
  lines: readonly Line[];
  /** How many lines were switched on; more than are drawn when there are too many. */
  wanted: number;
  runOf: (id: string) => Run | undefined;
  /** What is said when there is no line: why, and what to do. */
  none: { title: string; text: string };
}

export function RunsCharts({ project, bus, runs, lines, wanted, runOf, none }: Props) {
  const latest = useRef(runOf);
  useEffect(() => {
    latest.current = runOf;
  });
  const series = useOwned(() => new SeriesStore((run) => endedAs(latest.current(run))), [project]);
  const ids = runs.map(({ id }) => id).join(".");
  useEffect(() => series?.setRuns(ids === "" ? [] : ids.split(".")), [series, ids]);
  useEffect(() => series?.look(), [series, runs]);
  const names = useMemo(() => metricNames(runs), [runs]);
  if (!series) return null;
  return (
    <section className="charts-side" aria-label="Charts">
      <ChartControls bus={bus} names={names} runs={runs} />
      {lines.length < wanted ? (
        <p className="muted small" aria-live="polite">
          Charts draw at most {formatCount(MOST_DRAWN)} runs: of the {formatCount(wanted)} that are switched on, the
          first in the order of the table.
        </p>
      ) : null}
      {lines.length === 0 ? <Empty icon="runs" title={none.title}>{none.text}</Empty>
        : names.length === 0 ? <Empty icon="runs" title="These runs have logged no numbers yet">Charts appear with the first point.</Empty>
          : <ChartGrid names={names} runs={runs} lines={lines} bus={bus} store={series} scope={project} />}
    </section>
  );
}

/** The runs as lines of the charts; the same array as long as nothing about them changed. */
export function useLines(runs: readonly Run[]): readonly Line[] {
  const drawn = spread(runs.map((run) => slots.of(run)));
  return useSame(runs.map(({ id, name }, i): Line => ({ id, name, slot: drawn[i]! })));
}

/** The same lines as before, unless something about them changed. */
export function useSame(lines: readonly Line[]): readonly Line[] {
  const told = JSON.stringify(lines);
  return useMemo(() => JSON.parse(told) as Line[], [told]);
}
