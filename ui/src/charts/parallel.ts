// Parallel coordinates: every trial a curve through its parameters to its objective; a brush on an axis filters.
import type { Json } from "../api/types";
import { formatMetric, formatValue } from "../format";
import { type Axis, type Brush, axisOf, continuous, held } from "./axes";
import { Easel } from "./easel";
import { ink, mixed } from "./ink";
import type { Description } from "./registry";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

export interface ParallelTrial {
  number: number;
  name: string;
  params: ReadonlyMap<string, Json>;
  /** NaN while there is none. */
  objective: number;
  run: string | null;
}

export interface ParallelState {
  trials: readonly ParallelTrial[];
  parameters: readonly { name: string; distribution: string }[];
  objective: string;
  maximise: boolean;
}

interface Curve {
  trial: ParallelTrial;
  heights: (number | null)[];
  colour: string;
  path: Path2D;
  kept: boolean;
}

const REACH = 14;

export class ParallelChart implements Drawable {
  onHot: (number: number | null) => void = () => {};
  /** The numbers of the trials that the brushes hold, or null when there is no brush. */
  onBrush: (numbers: ReadonlySet<number> | null) => void = () => {};
  #easel: Easel;
  #state: ParallelState = { trials: [], parameters: [], objective: "", maximise: false };
  #axes: Axis[] = [];
  #curves: Curve[] = [];
  /** Each trial's place among those with an objective: 0 the best, 1 the worst. */
  #rank = new Map<number, number>();
  #brushes = new Map<number, Brush>();
  #drag: { axis: number; from: number } | null = null;
  #hot: number | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerdown", (event) => this.#pressed(event));
    listen("pointerup", () => (this.#drag = null));
    listen("pointerleave", () => this.#light(null));
    listen("dblclick", () => this.clear());
    listen("keydown", (event) => event.key === "Escape" && this.clear());
  }

  close(): void {
    this.#easel.close();
    hideTip();
  }

  set(state: ParallelState): void {
    this.#state = state;
    const done = state.trials.map(({ objective }) => objective).filter(Number.isFinite);
    this.#axes = state.parameters.map(({ name, distribution }) =>
      axisOf(name, state.trials.map(({ params }) => params.get(name)), distribution));
    this.#axes.push(continuous(state.objective, done.length > 0 ? done : [0, 1]));
    const order = state.trials.filter(({ objective }) => Number.isFinite(objective))
      .sort((a, b) => (state.maximise ? b.objective - a.objective : a.objective - b.objective));
    this.#rank = new Map(order.map(({ number }, i) => [number, order.length < 2 ? 0 : i / (order.length - 1)]));
    if (this.#brushes.size > 0) this.#tellBrush();
    stage.invalidate(this);
  }

  clear(): void {
    if (this.#brushes.size === 0) return;
    this.#brushes.clear();
    this.#tellBrush();
  }

  show(number: number | null): void {
    if (number === this.#hot) return;
    this.#hot = number;
    stage.invalidateOver(this);
  }

  /** A trial's heights on the axes. Where many meet in one class they fan out in the order of their rank. */
  #heights(trial: ParallelTrial): (number | null)[] {
    const fan = (this.#rank.get(trial.number) ?? 0.5) - 0.5;
    return this.#axes.map((axis, i) => {
      const height = axis.at(i === this.#axes.length - 1 ? trial.objective : trial.params.get(axis.name));
      return height === null ? null : height - fan * Math.min(0.16, axis.gap * 0.4);
    });
  }

  #tellBrush(): void {
    if (this.#brushes.size === 0) this.onBrush(null);
    else {
      const kept = this.#state.trials.filter((trial) => held(this.#heights(trial), this.#brushes));
      this.onBrush(new Set(kept.map(({ number }) => number)));
    }
    stage.invalidate(this);
  }

  // MARK: geometry

  get #top(): number { return 44; }
  get #bottom(): number { return this.element.clientHeight - 24; }

  #x(axis: number): number {
    const [left, right] = [34, this.element.clientWidth - 34];
    return this.#axes.length < 2 ? left : left + (axis / (this.#axes.length - 1)) * (right - left);
  }

  #y(height: number): number {
    return this.#bottom - height * (this.#bottom - this.#top);
  }

  #curve(heights: readonly (number | null)[]): Path2D {
    const path = new Path2D();
    let before: [number, number] | null = null;
    heights.forEach((height, i) => {
      if (height === null) {
        before = null;
        return;
      }
      const [x, y] = [this.#x(i), this.#y(height)];
      if (before === null) path.moveTo(x, y);
      else {
        const middle = (before[0] + x) / 2;
        path.bezierCurveTo(middle, before[1], middle, y, x, y);
      }
      before = [x, y];
    });
    return path;
  }

  // MARK: drawing

  draw(): void {
    const { context, width } = this.#easel.base();
    this.element.dataset["state"] = this.#state.trials.length > 0 ? "ready" : "empty";
    this.#curves = [];
    if (!context || width < 80 || this.#state.trials.length === 0) return;
    const colours = ink();
    const rank = this.#rank;
    for (const trial of this.#state.trials) {
      const heights = this.#heights(trial);
      const share = rank.get(trial.number);
      this.#curves.push({
        trial, heights, path: this.#curve(heights), kept: held(heights, this.#brushes),
        colour: share === undefined ? colours.muted : mixed(colours.heat, share),
      });
    }
    // The best are drawn last, on top.
    this.#curves.sort((a, b) => Number(a.kept) - Number(b.kept) ||
      (rank.get(b.trial.number) ?? 2) - (rank.get(a.trial.number) ?? 2));
    for (const { trial, path, colour, kept } of this.#curves) {
      context.strokeStyle = kept ? colour : colours.grid;
      context.globalAlpha = kept ? (Number.isFinite(trial.objective) ? 0.85 : 0.35) : 0.7;
      context.lineWidth = kept ? 1.7 : 1;
      context.stroke(path);
    }
    context.globalAlpha = 1;
    this.#axes.forEach((axis, i) => this.#axis(context, axis, i));
  }

  #axis(context: CanvasRenderingContext2D, axis: Axis, i: number): void {
    const colours = ink();
    const x = Math.round(this.#x(i)) + 0.5;
    const last = i === this.#axes.length - 1;
    context.strokeStyle = colours.axis;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, this.#top - 16);
    context.lineTo(x, this.#bottom + 16);
    context.stroke();
    context.font = colours.font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const side = last ? -1 : 1;
    context.textAlign = last ? "right" : "left";
    for (const { at, label } of axis.ticks) {
      const y = this.#y(at);
      context.strokeStyle = colours.panel;
      context.lineWidth = 3;
      context.strokeText(label, x + 6 * side, y);
      context.fillStyle = colours.text;
      context.fillText(label, x + 6 * side, y);
      context.strokeStyle = colours.axis;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x - 3, y);
      context.lineTo(x + 3, y);
      context.stroke();
    }
    const room = (this.element.clientWidth - 68) / Math.max(1, this.#axes.length - 1) - 8;
    context.textAlign = i === 0 ? "left" : last ? "right" : "center";
    context.font = `600 ${colours.font}`;
    context.fillStyle = last ? colours.text : colours.muted;
    const title = axis.note === "" ? axis.name : `${axis.name} (${axis.note})`;
    context.fillText(shortened(context, title, room), i === 0 ? x - 28 : last ? x + 28 : x, 12);
    const brush = this.#brushes.get(i);
    if (!brush) return;
    context.globalAlpha = 0.22;
    context.fillStyle = colours.accent;
    const [top, bottom] = [this.#y(brush.to), this.#y(brush.from)];
    context.fillRect(x - 8, top, 16, bottom - top);
    context.globalAlpha = 1;
    context.strokeStyle = colours.accent;
    context.strokeRect(x - 8, top, 16, bottom - top);
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const hot = this.#curves.find(({ trial }) => trial.number === this.#hot);
    if (!context || !hot) return;
    const colours = ink();
    context.strokeStyle = colours.panel;
    context.lineWidth = 6;
    context.stroke(hot.path);
    context.strokeStyle = Number.isFinite(hot.trial.objective) ? hot.colour : colours.accent;
    context.lineWidth = 3;
    context.stroke(hot.path);
  }

  // MARK: pointer

  #light(number: number | null): void {
    if (number === null) hideTip();
    if (number === this.#hot) return;
    this.#hot = number;
    this.onHot(number);
    stage.invalidateOver(this);
  }

  #axisAt(px: number): number | null {
    const found = this.#axes.findIndex((_, i) => Math.abs(this.#x(i) - px) <= 12);
    return found < 0 ? null : found;
  }

  #pressed(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const axis = this.#axisAt(event.clientX - box.left);
    if (axis === null || event.button !== 0) return;
    this.#drag = { axis, from: event.clientY - box.top };
    this.element.setPointerCapture(event.pointerId);
    if (this.#brushes.delete(axis)) this.#tellBrush();
  }

  #moved(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    if (this.#drag) {
      const height = (y: number) => (this.#bottom - y) / (this.#bottom - this.#top);
      const [from, to] = [height(this.#drag.from), height(py)].sort((a, b) => a - b) as [number, number];
      if (Math.abs(py - this.#drag.from) > 3) this.#brushes.set(this.#drag.axis, { from, to });
      this.#tellBrush();
      return;
    }
    this.element.style.cursor = this.#axisAt(px) === null ? "" : "ns-resize";
    const found = this.#nearest(px, py);
    this.#light(found?.trial.number ?? null);
    if (!found) return;
    const { trial, colour } = found;
    showTip(event.clientX, event.clientY, trial.name, [
      ...this.#state.parameters.map(({ name }) => ({
        colour: "transparent", name, value: formatValue(trial.params.get(name)) || "–", hot: false,
      })),
      { colour, name: this.#state.objective, hot: true,
        value: Number.isFinite(trial.objective) ? formatMetric(trial.objective) : "–" },
    ]);
  }

  /** The kept curve that passes nearest to a point, within reach. */
  #nearest(px: number, py: number): Curve | null {
    let best: Curve | null = null;
    let distance = REACH;
    for (const curve of this.#curves) {
      if (!curve.kept) continue;
      for (let i = 1; i < curve.heights.length; i++) {
        const [a, b] = [curve.heights[i - 1], curve.heights[i]];
        const [x0, x1] = [this.#x(i - 1), this.#x(i)];
        if (a == null || b == null || px < x0 || px > x1) continue;
        const share = (px - x0) / (x1 - x0);
        // The bezier between two axes rises like smoothstep does, closely enough to point at.
        const eased = share * share * (3 - 2 * share);
        const away = Math.abs(this.#y(a + (b - a) * eased) - py);
        if (away < distance) [best, distance] = [curve, away];
      }
    }
    return best;
  }

  describe(): Description {
    return {
      title: this.title,
      kind: "parallel",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: this.#state.trials.map(({ number, name, objective }) => ({
        id: String(number), name, points: this.#axes.length, last: Number.isFinite(objective) ? { x: number, y: objective } : null,
      })),
      xDomain: null,
      yDomain: null,
      cursor: null,
      hot: this.#hot === null ? null : String(this.#hot),
    };
  }
}

/** A colour of the ramp from best (0) to worst (1). */
function shortened(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}
