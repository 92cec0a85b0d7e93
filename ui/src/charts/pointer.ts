// Pointer and keys on a line chart: the cursor, the lit line, the tooltip, the zoom, and the reading for a screen reader.
import { type Abscissa, type Axis, placeOn } from "./axis";
import type { ChartBus } from "./bus";
import { listener } from "./easel";
import type { Frame } from "./frame";
import { lineColour } from "./ink";
import { type PixelColumn, columnAt, nearest } from "./path";
import { zoomBetween } from "./scale";
import type { Series } from "./series";
import { type TipRow, hideTip, showTip } from "./tip";

/** A line as it was drawn. */
export interface PointedLine {
  line: { id: string; name: string; slot: number };
  series: Series;
  columns: PixelColumn[];
  /** The value that the line goes through in a column. */
  value: (column: PixelColumn) => number;
}

/** What was drawn last, for the pointer to find its way in. */
export interface Scene {
  frame: Frame;
  lines: readonly PointedLine[];
  x: Abscissa;
  axis: Axis;
  smoothed: boolean;
  /** How a value is written. */
  write: (value: number) => string;
}

const REACH = 48; // how far from a line, in pixels, the pointer lights it
const DRAG = 6; // pixels below which a press is no drag

export class LinePointer {
  /** The part of the plot that is being dragged over, in pixels. */
  drag: { from: number; to: number } | null = null;
  /** Told what a screen reader should say when the cursor is moved by keys. */
  onReading: (text: string) => void = () => {};
  #inside = false;
  #ends: (() => void)[] = [];

  constructor(
    readonly element: HTMLElement,
    readonly bus: ChartBus,
    readonly scene: () => Scene | null,
    readonly redraw: () => void,
  ) {
    const listen = listener(element, this.#ends);
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerdown", (event) => this.#pressed(event));
    listen("pointerup", (event) => this.#released(event));
    listen("pointercancel", () => this.#left());
    listen("pointerleave", () => this.#left());
    listen("dblclick", () => bus.setZoom(null));
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#left());
  }

  close(): void {
    for (const end of this.#ends) end();
    if (this.#inside) hideTip();
  }

  // MARK: pointer

  #moved(event: PointerEvent): void {
    const scene = this.scene();
    if (!scene) return;
    const box = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { plot, x } = scene.frame;
    const inPlot = Math.min(Math.max(px, plot.left), plot.right);
    this.#inside = true;
    if (this.drag) this.drag.to = inPlot;
    const at = nearestX(scene, x.invert(inPlot));
    this.bus.point(at, lineAt(scene, px, py));
    this.redraw();
    this.#tip(scene, event.clientX, event.clientY, at);
  }

  #pressed(event: PointerEvent): void {
    if (event.pointerType !== "mouse" || event.button !== 0 || !this.scene()) return;
    const px = event.clientX - this.element.getBoundingClientRect().left;
    this.drag = { from: px, to: px };
    this.element.setPointerCapture(event.pointerId);
  }

  #released(event: PointerEvent): void {
    const drag = this.drag;
    const scene = this.scene();
    this.drag = null;
    if (!drag || !scene || event.pointerType !== "mouse") return;
    this.redraw();
    if (Math.abs(drag.to - drag.from) < DRAG) return;
    this.bus.setZoom(zoomBetween(scene.frame.x.invert(drag.from), scene.frame.x.invert(drag.to)));
  }

  #left(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.drag = null;
    hideTip();
    this.bus.point(null, null);
  }

  // MARK: keys

  #key(event: KeyboardEvent): void {
    const scene = this.scene();
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const [low, high] = scene.frame.x.domain;
    switch (event.key) {
      case "ArrowLeft": this.#step(scene, event.shiftKey ? -10 : -1); break;
      case "ArrowRight": this.#step(scene, event.shiftKey ? 10 : 1); break;
      case "Home": this.bus.point(nearestX(scene, low), this.bus.hot); break;
      case "End": this.bus.point(nearestX(scene, high), this.bus.hot); break;
      case "ArrowUp": this.#choose(scene, -1); break;
      case "ArrowDown": this.#choose(scene, 1); break;
      case "Escape":
        this.bus.setZoom(null);
        this.#left();
        return;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#inside = true;
    this.#read(scene);
  }

  /** Moves the cursor by entries of the lit line, or of the longest. */
  #step(scene: Scene, by: number): void {
    const lit = scene.lines.find(({ line }) => line.id === this.bus.hot) ??
      [...scene.lines].sort((a, b) => b.series.length - a.series.length)[0];
    if (!lit) return;
    const { series } = lit;
    if (this.bus.cursor === null) {
      this.bus.point(scene.x(series, series.length - 1), this.bus.hot);
      return;
    }
    // Buckets and points can lie closer than pixels do: a press moves at least one pixel.
    const { left, right } = scene.frame.plot;
    const pixel = Math.ceil(series.length / Math.max(1, right - left));
    const to = nearest(series, scene.x, this.bus.cursor) + by * pixel;
    this.bus.point(scene.x(series, Math.min(Math.max(0, to), series.length - 1)), this.bus.hot);
  }

  /** Lights the next line, or the one before. */
  #choose(scene: Scene, by: number): void {
    const ids = scene.lines.map(({ line }) => line.id);
    const at = this.bus.hot === null ? (by > 0 ? -1 : 0) : ids.indexOf(this.bus.hot);
    const to = (at + by + ids.length) % ids.length;
    this.bus.point(this.bus.cursor ?? nearestX(scene, scene.frame.x.domain[1]), ids[to] ?? null);
  }

  #read(scene: Scene): void {
    const cursor = this.bus.cursor;
    if (cursor === null) return;
    const rows = this.#rows(scene, cursor);
    const told = rows.some(({ hot }) => hot) ? rows.filter(({ hot }) => hot) : rows.slice(0, 5);
    this.onReading([placeOn(scene.axis, cursor), ...told.map(({ name, value }) => `${name} ${value}`)].join(", "));
    const box = this.element.getBoundingClientRect();
    this.#tip(scene, box.left + scene.frame.x.at(cursor), box.top + box.height / 2, cursor);
  }

  // MARK: what stands at the cursor

  #tip(scene: Scene, clientX: number, clientY: number, x: number): void {
    const rows = this.#rows(scene, x);
    if (rows.length > 0) showTip(clientX, clientY, placeOn(scene.axis, x), rows);
    else hideTip();
  }

  /** The lines' values at an x value, greatest first. */
  #rows(scene: Scene, x: number): TipRow[] {
    const px = scene.frame.x.at(x);
    const rows = scene.lines.flatMap(({ line, columns, series, value }) => {
      const column = columnAt(columns, px);
      if (!column || Math.abs(column.x - px) > 24) return [];
      const raw = series.last(nearest(series, scene.x, x));
      const number = scene.smoothed ? value(column) : raw;
      const text = scene.smoothed ? `${scene.write(number)} (${scene.write(raw)})` : scene.write(raw);
      return [{ number, row: { colour: lineColour(line.slot), name: line.name, value: text, hot: line.id === this.bus.hot } }];
    });
    return rows.sort((a, b) => b.number - a.number).map(({ row }) => row);
  }
}

/** The x value of the entry nearest to `value` over all lines: the cursor stands only where something was logged. */
function nearestX({ lines, x }: Scene, value: number): number {
  let best = value;
  let distance = Infinity;
  for (const { series } of lines) {
    const i = nearest(series, x, value);
    if (i < 0) continue;
    const found = x(series, i);
    if (Math.abs(found - value) < distance) [best, distance] = [found, Math.abs(found - value)];
  }
  return best;
}

/** The line that passes nearest to a point, within reach. */
function lineAt({ lines, frame }: Scene, px: number, py: number): string | null {
  let best: string | null = null;
  let distance = REACH;
  for (const { line, columns, value } of lines) {
    const column = columnAt(columns, px);
    if (!column) continue;
    const away = Math.hypot(Math.max(0, Math.abs(column.x - px) - 12), frame.y.at(value(column)) - py);
    if (away < distance) [best, distance] = [line.id, away];
  }
  return best;
}
