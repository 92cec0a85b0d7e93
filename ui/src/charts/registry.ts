// The charts on the page and what each shows, in numbers: a canvas cannot be read, so tests and tools ask here.

export interface LineDescription {
  id: string;
  name: string;
  /** How many entries the line has. */
  points: number;
  last: { x: number; y: number } | null;
}

export interface Description {
  title: string;
  kind: "line" | "history" | "parallel" | "histogram" | "heatmap" | "lanes" | "scatter";
  visible: boolean;
  /** How often everything was drawn. */
  draws: number;
  lines: LineDescription[];
  xDomain: readonly [number, number] | null;
  yDomain: readonly [number, number] | null;
  cursor: number | null;
  hot: string | null;
}

export interface Describable {
  describe(): Description;
}

declare global {
  interface Window {
    martletCharts: { describe(): Description[] };
  }
}

const charts = new Set<Describable>();
window.martletCharts = { describe: () => [...charts].map((chart) => chart.describe()) };

/** Lists a chart until the returned function is called. */
export function register(chart: Describable): () => void {
  charts.add(chart);
  return () => charts.delete(chart);
}
