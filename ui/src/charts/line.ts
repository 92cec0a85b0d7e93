// The line chart: one metric of many runs.
import { formatMetric } from "../format";
import { type Abscissa, type Axis, abscissaOf } from "./axis";
import type { ChartBus } from "./bus";
import { Easel } from "./easel";
import { type Frame, drawFrame, padded } from "./frame";
import { ink, lineColour, lineDash } from "./ink";
import { type MarkKind, drawMark } from "./marks";
import type { SpreadKind } from "./mean";
import { type PixelColumn, columnAt, columns, quantile } from "./path";
import { LinePointer, type PointedLine, type Scene } from "./pointer";
import type { Description } from "./registry";
import { widened } from "./scale";
import type { Series } from "./series";
import { type Drawable, stage } from "./stage";

export interface Line {
  id: string;
  name: string;
  /** Which colour and dash. */
  slot: number;
  /** Of a group: the runs whose mean it is, and what the band around it shows. */
  members?: readonly string[];
  spread?: SpreadKind;
  /** What is marked where it ends. */
  end?: MarkKind;
}

export interface View {
  smoothing: number;
  log: boolean;
  axis: Axis;
  /** How a value is written beside the cursor, where it is no plain number. */
  write?: (value: number) => string;
}

/** A line folded into pixel columns. */
interface Folded extends PointedLine {
  line: Line;
  /** Whether the columns' extremes are drawn as a band behind the line. */
  banded: boolean;
}

interface Drawn extends Folded {
  path: Path2D;
  dots: boolean;
}

const DOTS_BELOW = 48; // a line of so few points shows each of them
const DENSE = 2.5; // points per pixel column above which strokes would merge into a slab: a band and the mean tell more

export class LineChart implements Drawable {
  readonly element: HTMLElement;
  #easel: Easel;
  #lines: readonly Line[] = [];
  #view: View = { smoothing: 0, log: false, axis: "step" };
  #drawn: Drawn[] = [];
  #frame: Frame | null = null;
  #pointer: LinePointer;

  constructor(
    element: HTMLElement,
    readonly title: string,
    readonly bus: ChartBus,
    readonly source: (run: string) => Series | undefined,
  ) {
    this.element = element;
    this.#easel = new Easel(this);
    this.#pointer = new LinePointer(element, bus, () => this.#scene(), () => stage.invalidateOver(this));
    this.#easel.ends.push(
      bus.onCursor(() => stage.invalidateOver(this)),
      bus.onZoom(() => stage.invalidate(this)),
      () => this.#pointer.close(),
    );
  }

  close(): void {
    this.#easel.close();
  }

  set(lines: readonly Line[], view: View): void {
    this.#lines = lines;
    this.#view = view;
    stage.invalidate(this);
  }

  changed(): void {
    stage.invalidate(this);
  }

  /** Told what a screen reader should say when the cursor is moved by keys. */
  set onReading(reading: (text: string) => void) {
    this.#pointer.onReading = reading;
  }

  #scene(): Scene | null {
    if (!this.#frame) return null;
    return {
      frame: this.#frame, lines: this.#drawn, x: this.#x, axis: this.#view.axis, smoothed: this.#view.smoothing > 0,
      write: this.#view.write ?? formatMetric,
    };
  }

  get #x(): Abscissa {
    return abscissaOf(this.#view.axis);
  }

  // MARK: drawing

  draw(): void {
    const { context, width, height } = this.#easel.base();
    if (!context || width < 40 || height < 40) return;
    const held = this.#lines.map((line) => ({ line, series: this.source(line.id) }));
    const known = held.filter((each): each is { line: Line; series: Series } => (each.series?.length ?? 0) > 0);
    this.element.dataset["state"] =
      known.length > 0 ? "ready" : held.some(({ series }) => series === undefined) ? "loading" : "empty";
    this.#drawn = [];
    this.#frame = null;
    if (known.length === 0) return;

    const xDomain = this.#xDomain(known.map(({ series }) => series));
    const usable = this.#view.log ? (value: number) => value > 0 && value < Infinity : Number.isFinite;
    // The plot's left edge follows from the labels, the labels from the values: columns need only the width.
    const span = Math.max(1, width - 60);
    const scale = span / (xDomain[1] - xDomain[0] || 1);
    const folded = known.map((each) => this.#fold(each.line, each.series, xDomain, scale, usable));
    const yDomain = this.#yDomain(folded.map((each) => each.columns));
    if (yDomain === null) {
      this.element.dataset["state"] = "gaps";
      return;
    }
    const colours = ink();
    const frame = drawFrame(context, {
      width, height, xDomain, yDomain, logY: this.#view.log, xKind: this.#view.axis,
    }, colours);
    this.#frame = frame;
    const stretch = (frame.plot.right - frame.plot.left) / span;
    for (const each of folded) for (const column of each.columns) column.x = frame.plot.left + column.x * stretch;

    context.save();
    context.beginPath();
    context.rect(frame.plot.left - 1, 0, frame.plot.right - frame.plot.left + 2, frame.plot.bottom + 1);
    context.clip();
    context.lineJoin = "bevel";
    for (const each of folded) if (each.banded) this.#band(context, each, frame);
    // The first of the table is drawn last, on top.
    for (const each of folded.reverse()) this.#drawn.push(this.#line(context, each, frame));
    this.#drawn.reverse();
    context.restore();
    for (const { line, columns: all, value } of this.#drawn) {
      const last = all[all.length - 1];
      if (line.end !== undefined && last) drawMark(context, line.end, last.x, frame.y.at(value(last)), colours, this.#drawn.length);
    }
    this.#gaps(context, known, frame);
  }

  #fold(
    line: Line, series: Series, window: [number, number], scale: number, usable: (value: number) => boolean,
  ): Folded {
    const smoothing = this.#view.smoothing;
    const all = columns(series, this.#x, window, (x) => (x - window[0]) * scale, smoothing, usable);
    const points = all.reduce((sum, { count }) => sum + count, 0);
    const dense = points > all.length * DENSE;
    if (line.members) {
      const mean = smoothing > 0 ? ({ smooth }: PixelColumn) => smooth : ({ sum, count }: PixelColumn) => sum / count;
      return { line, series, columns: all, value: mean, banded: true };
    }
    if (smoothing > 0) return { line, series, columns: all, value: ({ smooth }) => smooth, banded: true };
    if (dense) return { line, series, columns: all, value: ({ sum, count }) => sum / count, banded: true };
    return { line, series, columns: all, value: ({ last }) => last, banded: false };
  }

  #xDomain(all: Series[]): [number, number] {
    if (this.bus.zoom) return widened(this.bus.zoom.from, this.bus.zoom.to);
    let [low, high] = [Infinity, -Infinity];
    for (const series of all) {
      low = Math.min(low, this.#x(series, 0));
      high = Math.max(high, this.#x(series, series.length - 1));
    }
    return low < high ? widened(low, high) : widened(low - 0.5, high + 0.5);
  }

  /** With smoothing the rare spike of the raw values may leave the plot; without it nothing does. */
  #yDomain(all: PixelColumn[][]): [number, number] | null {
    let [low, high] = [Infinity, -Infinity];
    const { smoothing, log } = this.#view;
    const sample: number[] = [];
    for (const line of all) {
      for (const column of line) {
        low = Math.min(low, smoothing > 0 ? column.smooth : column.low);
        high = Math.max(high, smoothing > 0 ? column.smooth : column.high);
        if (smoothing > 0) sample.push(column.low, column.high);
      }
    }
    if (low > high) return null;
    if (sample.length > 0) {
      low = Math.min(low, quantile(sample, 0.02));
      high = Math.max(high, quantile(sample, 0.98));
    }
    return padded(low, high, log);
  }

  #band(context: CanvasRenderingContext2D, { line, columns: all }: Folded, { y }: Frame): void {
    context.fillStyle = lineColour(line.slot);
    context.globalAlpha = this.#view.smoothing > 0 ? 0.16 : 0.3;
    context.beginPath();
    let start = 0;
    for (let i = 1; i <= all.length; i++) {
      if (i < all.length && !all[i]!.gap) continue;
      for (let j = start; j < i; j++) {
        const column = all[j]!;
        if (j === start) context.moveTo(column.x, y.at(column.high));
        else context.lineTo(column.x, y.at(column.high));
      }
      for (let j = i - 1; j >= start; j--) context.lineTo(all[j]!.x, y.at(all[j]!.low));
      start = i;
    }
    context.fill();
    context.globalAlpha = 1;
  }

  #line(context: CanvasRenderingContext2D, folded: Folded, { y }: Frame): Drawn {
    const { columns: all, banded } = folded;
    const path = new Path2D();
    const dots = all.length <= DOTS_BELOW && !banded;
    all.forEach((column, i) => {
      const value = banded ? folded.value(column) : column.first;
      if (i === 0 || column.gap) path.moveTo(column.x, y.at(value));
      else path.lineTo(column.x, y.at(value));
      if (!banded && column.high > column.low) {
        path.lineTo(column.x, y.at(column.low));
        path.lineTo(column.x, y.at(column.high));
        path.lineTo(column.x, y.at(column.last));
      }
      const alone = (i === 0 || column.gap) && (i + 1 === all.length || all[i + 1]!.gap);
      if (alone) path.lineTo(column.x + 0.01, y.at(value));
    });
    const drawn = { ...folded, path, dots };
    this.#stroke(context, drawn, 1.6, y);
    return drawn;
  }

  #stroke(context: CanvasRenderingContext2D, drawn: Drawn, width: number, y: Frame["y"]): void {
    const colour = lineColour(drawn.line.slot);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineCap = "round";
    context.setLineDash([...lineDash(drawn.line.slot)]);
    context.stroke(drawn.path);
    context.setLineDash([]);
    if (!drawn.dots) return;
    context.fillStyle = colour;
    for (const column of drawn.columns) {
      context.beginPath();
      context.arc(column.x, y.at(column.last), width + 0.7, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Ticks on the axis where something was logged that is no number, or that a log scale cannot show. */
  #gaps(context: CanvasRenderingContext2D, all: { line: Line; series: Series }[], { plot, x }: Frame): void {
    for (const { line, series } of all) {
      if (series.gaps.length === 0 || this.#view.axis !== "step") continue;
      context.strokeStyle = lineColour(line.slot);
      context.lineWidth = 1.5;
      context.beginPath();
      let free = -Infinity;
      for (const step of series.gaps) {
        const at = x.at(step);
        if (at < plot.left || at > plot.right || at < free) continue;
        context.moveTo(at, plot.bottom - 5);
        context.lineTo(at, plot.bottom + 4);
        free = at + 2;
      }
      context.stroke();
    }
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const frame = this.#frame;
    if (!context || !frame) return;
    const { plot } = frame;
    const colours = ink();
    const hot = this.#drawn.find(({ line }) => line.id === this.bus.hot);
    if (hot && this.#drawn.length > 1) {
      context.save();
      context.beginPath();
      context.rect(plot.left, 0, plot.right - plot.left, plot.bottom);
      context.clip();
      context.globalAlpha = 0.6;
      context.fillStyle = colours.panel;
      context.fillRect(plot.left, 0, plot.right - plot.left, plot.bottom);
      context.globalAlpha = 1;
      context.lineJoin = "bevel";
      this.#stroke(context, hot, 2.4, frame.y);
      context.restore();
    }
    const drag = this.#pointer.drag;
    if (drag) {
      const [from, to] = [drag.from, drag.to].sort((a, b) => a - b) as [number, number];
      context.globalAlpha = 0.14;
      context.fillStyle = colours.accent;
      context.fillRect(from, plot.top, to - from, plot.bottom - plot.top);
      context.globalAlpha = 1;
    }
    this.#cursor(context, frame);
  }

  #cursor(context: CanvasRenderingContext2D, { plot, x, y }: Frame): void {
    const cursor = this.bus.cursor;
    if (cursor === null || cursor < x.domain[0] || cursor > x.domain[1]) return;
    const colours = ink();
    const at = Math.round(x.at(cursor)) + 0.5;
    context.strokeStyle = colours.muted;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(at, plot.top);
    context.lineTo(at, plot.bottom);
    context.stroke();
    context.setLineDash([]);
    for (const { line, columns: all, value } of this.#drawn) {
      if (this.bus.hot !== null && line.id !== this.bus.hot) continue;
      const column = columnAt(all, at);
      if (!column || Math.abs(column.x - at) > 40) continue;
      context.beginPath();
      context.arc(column.x, y.at(value(column)), 3.5, 0, 2 * Math.PI);
      context.fillStyle = lineColour(line.slot);
      context.fill();
      context.strokeStyle = colours.panel;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }

  describe(): Description {
    return {
      title: this.title,
      kind: "line",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: this.#lines.map(({ id, name }) => {
        const series = this.source(id);
        const length = series?.length ?? 0;
        const last = series && length > 0 ? { x: this.#x(series, length - 1), y: series.last(length - 1) } : null;
        return { id, name, points: length, last };
      }),
      xDomain: this.#frame?.x.domain ?? null,
      yDomain: this.#frame?.y.domain ?? null,
      cursor: this.bus.cursor,
      hot: this.bus.hot,
    };
  }
}
