// A metric of one run in the size of a word: its course, without axes.
import { useEffect, useRef } from "react";
import type { Run } from "../api/types";
import { lineColour, prepare } from "../charts/ink";
import { byStep } from "../charts/axis";
import { columns } from "../charts/path";
import { type Drawable, stage } from "../charts/stage";
import { slots } from "../store/colours";
import type { SeriesStore } from "../store/series";

class SparklineChart implements Drawable {
  #canvas = document.createElement("canvas");

  constructor(readonly element: HTMLElement, readonly store: SeriesStore, readonly run: Run, readonly metric: string) {
    element.append(this.#canvas);
    stage.add(this);
  }

  close(): void {
    stage.remove(this);
    this.#canvas.remove();
  }

  draw(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    const context = prepare(this.#canvas, width, height);
    const series = this.store.get(this.run.id, this.metric);
    if (!context || !series || series.length < 2) return;
    const window = [series.step(0), series.step(series.length - 1)] as const;
    const scale = (width - 4) / (window[1] - window[0] || 1);
    const all = columns(series, byStep, window, (x) => 2 + (x - window[0]) * scale, 0.6, Number.isFinite);
    if (all.length === 0) return;
    const values = all.map(({ smooth }) => smooth);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const y = (value: number) => 3 + (height - 6) * (high === low ? 0.5 : 1 - (value - low) / (high - low));
    const colour = lineColour(slots.of(this.run));
    context.beginPath();
    all.forEach((column, i) => {
      if (i === 0 || column.gap) context.moveTo(column.x, y(column.smooth));
      else context.lineTo(column.x, y(column.smooth));
    });
    context.strokeStyle = colour;
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(all[all.length - 1]!.x, height);
    context.lineTo(all[0]!.x, height);
    context.globalAlpha = 0.1;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }

  drawOver(): void {}
}

export function Sparkline({ store, run, metric }: { store: SeriesStore; run: Run; metric: string }) {
  const first = useRef(run); // its name and colour never change
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const chart = new SparklineChart(body.current!, store, first.current, metric);
    const forget = store.need(metric, null, () => stage.invalidate(chart));
    return () => {
      forget();
      chart.close();
    };
  }, [store, metric]);
  return <div className="sparkline" ref={body} aria-hidden="true" />;
}
