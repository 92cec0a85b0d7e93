// The line chart: one metric of many runs.
import { formatCount, formatDuration, formatMetric } from "../format";
import type { ChartBus } from "./bus";
import { type Frame, drawFrame, padded } from "./frame";
import { ink, lineColour, lineDash, prepare } from "./ink";
import { type Abscissa, type PixelColumn, byStep, byTime, columns, nearest, quantile } from "./path";
import { type Description, register } from "./registry";
import type { Series } from "./series";
import { type Drawable, stage } from "./stage";
import { type TipRow, hideTip, showTip } from "./tip";

export interface Line {
  id: string;
  name: string;
  /** Which colour and dash. */
  slot: number;
}

export interface View {
  smoothing: number;
  log: boolean;
  axis: "step" | "time";
}

/** A line folded into pixel columns. */
interface Folded {
  line: Line;
  series: Series;
  columns: PixelColumn[];
  /** The value that the line goes through in a column. */
  value: (column: PixelColumn) => number;
  /** Whether the columns' extremes are drawn as a band behind the line. */
  banded: boolean;
}

interface Drawn extends Folded {
  path: Path2D;
  dots: boolean;
}

const DOTS_BELOW = 48; // a line of so few points shows each of them
const DENSE = 2.5; // points per pixel column above which strokes would merge into a slab: a band and the mean tell more
const REACH = 48; // how far from a line, in pixels, the pointer lights it

export class LineChart implements Drawable {
  readonly element: HTMLElement;
  /** Told what a screen reader should say when the cursor is moved by keys. */
  onReading: (text: string) => void = () => {};
  #base = document.createElement("canvas");
  #over = document.createElement("canvas");
  #lines: readonly Line[] = [];
  #view: View = { smoothing: 0, log: false, axis: "step" };
  #drawn: Drawn[] = [];
  #frame: Frame | null = null;
  #draws = 0;
  #inside = false;
  #drag: { from: number; to: number } | null = null;
  #ends: (() => void)[] = [];

  constructor(
    element: HTMLElement,
    readonly title: string,
    readonly bus: ChartBus,
    readonly source: (run: string) => Series | undefined,
  ) {
    this.element = element;
    this.#base.className = "chart-base";
    this.#over.className = "chart-over";
    element.append(this.#base, this.#over);
    const listen = <K extends keyof HTMLElementEventMap>(name: K, heard: (event: HTMLElementEventMap[K]) => void) => {
      element.addEventListener(name, heard);
      this.#ends.push(() => element.removeEventListener(name, heard));
    };
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerdown", (event) => this.#pressed(event));
    listen("pointerup", (event) => this.#released(event));
    listen("pointercancel", () => this.#left());
    listen("pointerleave", () => this.#left());
    listen("dblclick", () => bus.setZoom(null));
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#left());
    this.#ends.push(
      bus.onCursor(() => stage.invalidateOver(this)),
      bus.onZoom(() => stage.invalidate(this)),
      register(this),
    );
    stage.add(this);
  }

  close(): void {
    for (const end of this.#ends) end();
    stage.remove(this);
    if (this.#inside) hideTip();
    this.#base.remove();
    this.#over.remove();
  }

  set(lines: readonly Line[], view: View): void {
    this.#lines = lines;
    this.#view = view;
    stage.invalidate(this);
  }

  changed(): void {
    stage.invalidate(this);
  }

  get #x(): Abscissa {
    return this.#view.axis === "time" ? byTime : byStep;
  }

  // MARK: drawing

  draw(): void {
    this.#draws++;
    const { clientWidth: width, clientHeight: height } = this.element;
    const context = prepare(this.#base, width, height);
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
    this.#gaps(context, known, frame);
  }

  #fold(
    line: Line, series: Series, window: [number, number], scale: number, usable: (value: number) => boolean,
  ): Folded {
    const smoothing = this.#view.smoothing;
    const all = columns(series, this.#x, window, (x) => (x - window[0]) * scale, smoothing, usable);
    const points = all.reduce((sum, { count }) => sum + count, 0);
    const dense = points > all.length * DENSE;
    if (smoothing > 0) return { line, series, columns: all, value: ({ smooth }) => smooth, banded: true };
    if (dense) return { line, series, columns: all, value: ({ sum, count }) => sum / count, banded: true };
    return { line, series, columns: all, value: ({ last }) => last, banded: false };
  }

  #xDomain(all: Series[]): [number, number] {
    if (this.bus.zoom) return [this.bus.zoom.from, this.bus.zoom.to];
    let [low, high] = [Infinity, -Infinity];
    for (const series of all) {
      low = Math.min(low, this.#x(series, 0));
      high = Math.max(high, this.#x(series, series.length - 1));
    }
    return low < high ? [low, high] : [low - 0.5, high + 0.5];
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
      if (series.gaps.length === 0 || this.#view.axis === "time") continue;
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
    const { clientWidth: width, clientHeight: height } = this.element;
    const context = prepare(this.#over, width, height);
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
    if (this.#drag) {
      const [from, to] = [this.#drag.from, this.#drag.to].sort((a, b) => a - b) as [number, number];
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

  // MARK: pointer and keys

  #moved(event: PointerEvent): void {
    if (!this.#frame) return;
    const box = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { plot, x } = this.#frame;
    this.#inside = true;
    if (this.#drag) this.#drag.to = Math.min(Math.max(px, plot.left), plot.right);
    const value = x.invert(Math.min(Math.max(px, plot.left), plot.right));
    const step = this.#nearestX(value);
    this.bus.point(step, this.#lineAt(px, py));
    stage.invalidateOver(this);
    this.#tip(event.clientX, event.clientY, step);
  }

  /** The x value of the entry nearest to `value` over all lines: the cursor stands only where something was logged. */
  #nearestX(value: number): number {
    let best = value;
    let distance = Infinity;
    for (const { series } of this.#drawn) {
      const i = nearest(series, this.#x, value);
      if (i < 0) continue;
      const found = this.#x(series, i);
      if (Math.abs(found - value) < distance) [best, distance] = [found, Math.abs(found - value)];
    }
    return best;
  }

  #lineAt(px: number, py: number): string | null {
    if (!this.#frame) return null;
    let best: string | null = null;
    let distance = REACH;
    for (const { line, columns: all, value } of this.#drawn) {
      const column = columnAt(all, px);
      if (!column) continue;
      const away = Math.hypot(Math.max(0, Math.abs(column.x - px) - 12), this.#frame.y.at(value(column)) - py);
      if (away < distance) [best, distance] = [line.id, away];
    }
    return best;
  }

  #rows(x: number): { row: TipRow; value: number }[] {
    const rows: { row: TipRow; value: number }[] = [];
    if (!this.#frame) return rows;
    const px = this.#frame.x.at(x);
    for (const { line, columns: all, series } of this.#drawn) {
      const column = columnAt(all, px);
      if (!column || Math.abs(column.x - px) > 24) continue;
      const raw = series.last(nearest(series, this.#x, x));
      const smooth = this.#view.smoothing > 0;
      rows.push({
        value: smooth ? column.smooth : raw,
        row: {
          colour: lineColour(line.slot),
          name: line.name,
          value: smooth ? `${formatMetric(column.smooth)} (${formatMetric(raw)})` : formatMetric(raw),
          hot: line.id === this.bus.hot,
        },
      });
    }
    return rows.sort((a, b) => b.value - a.value);
  }

  #heading(x: number): string {
    return this.#view.axis === "time" ? formatDuration(x * 1e6) : `step ${formatCount(Math.round(x))}`;
  }

  #tip(clientX: number, clientY: number, x: number): void {
    const rows = this.#rows(x);
    if (rows.length > 0) showTip(clientX, clientY, this.#heading(x), rows.map(({ row }) => row));
    else hideTip();
  }

  #pressed(event: PointerEvent): void {
    if (event.pointerType !== "mouse" || event.button !== 0 || !this.#frame) return;
    const px = event.clientX - this.element.getBoundingClientRect().left;
    this.#drag = { from: px, to: px };
    this.element.setPointerCapture(event.pointerId);
  }

  #released(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag || !this.#frame || event.pointerType !== "mouse") return;
    stage.invalidateOver(this);
    if (Math.abs(drag.to - drag.from) < 6) return;
    const ends = [this.#frame.x.invert(drag.from), this.#frame.x.invert(drag.to)].sort((a, b) => a - b);
    this.bus.setZoom({ from: ends[0]!, to: ends[1]! });
  }

  #left(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.#drag = null;
    hideTip();
    this.bus.point(null, null);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x } = this.#frame;
    const ids = this.#drawn.map(({ line }) => line.id);
    switch (event.key) {
      case "ArrowLeft":
      case "ArrowRight": {
        const by = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1);
        this.#stepCursor(by);
        break;
      }
      case "Home": this.bus.point(this.#nearestX(x.domain[0]), this.bus.hot); break;
      case "End": this.bus.point(this.#nearestX(x.domain[1]), this.bus.hot); break;
      case "ArrowUp":
      case "ArrowDown": {
        const at = this.bus.hot === null ? -1 : ids.indexOf(this.bus.hot);
        const to = (at + (event.key === "ArrowUp" ? -1 : 1) + ids.length) % Math.max(1, ids.length);
        this.bus.point(this.bus.cursor ?? this.#nearestX(x.domain[1]), ids[to] ?? null);
        break;
      }
      case "Escape":
        this.bus.setZoom(null);
        this.#left();
        return;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#inside = true;
    this.#read();
  }

  /** Moves the cursor by entries of the lit line, or of the longest. */
  #stepCursor(by: number): void {
    const lit = this.#drawn.find(({ line }) => line.id === this.bus.hot) ??
      [...this.#drawn].sort((a, b) => b.series.length - a.series.length)[0];
    if (!lit || !this.#frame) return;
    const { series } = lit;
    if (this.bus.cursor === null) {
      this.bus.point(this.#x(series, series.length - 1), this.bus.hot);
      return;
    }
    // Buckets and points can lie closer than pixels do: a press moves at least one pixel.
    const pixel = Math.ceil(series.length / Math.max(1, this.#frame.plot.right - this.#frame.plot.left));
    const to = nearest(series, this.#x, this.bus.cursor) + by * Math.max(1, pixel);
    this.bus.point(this.#x(series, Math.min(Math.max(0, to), series.length - 1)), this.bus.hot);
  }

  #read(): void {
    const cursor = this.bus.cursor;
    if (cursor === null || !this.#frame) return;
    const rows = this.#rows(cursor);
    const told = rows.some(({ row }) => row.hot) ? rows.filter(({ row }) => row.hot) : rows.slice(0, 5);
    this.onReading([this.#heading(cursor), ...told.map(({ row }) => `${row.name} ${row.value}`)].join(", "));
    const box = this.element.getBoundingClientRect();
    this.#tip(box.left + this.#frame.x.at(cursor), box.top + box.height / 2, cursor);
  }

  describe(): Description {
    return {
      title: this.title,
      kind: "line",
      visible: stage.isVisible(this),
      draws: this.#draws,
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

/** The column nearest to a pixel. */
function columnAt(all: PixelColumn[], px: number): PixelColumn | undefined {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.x < px) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low === all.length || px - all[low - 1]!.x < all[low]!.x - px)) low--;
  return all[low];
}
