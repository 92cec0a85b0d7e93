// Parallel coordinates: every trial a curve through its values on the axes. The card says what stands where; this draws it.
import { Easel } from "./easel";
import { type Ink, ink, lineColour, mixed } from "./ink";
import type { Axis, Brush } from "./axes";
import type { Description } from "./registry";
import { type Drawable, stage } from "./stage";
import { hideTip, type TipRow, showTip } from "./tip";

export interface ParallelAxis {
  id: string;
  axis: Axis;
  /** By trial its height on the axis; NaN: it has no value there. */
  heights: Float64Array;
  brush: Brush | null;
}

export interface ParallelState {
  trials: readonly { number: number; name: string; run: string | null }[];
  axes: readonly ParallelAxis[];
  /** By trial its place on the ramp of colours, 0 to 1, or the number of its class; NaN: it has none. */
  colours: Float64Array;
  classes: boolean;
  /** By trial whether the brushes hold it; null: there is no brush. */
  kept: Uint8Array | null;
}

/** The room beside the first and the last axis, and above and below all for what fans out there, in pixels. */
export const MARGIN = { side: 42, top: 22, bottom: 22 };

const REACH = 14;
const SHADES = 24; // as many colours of the ramp as the eye tells apart
const MANY = 1500; // from so many on curves are drawn straight and thin
const SHOWN = 750; // and the more of them, the fainter
const AT_ONCE = 25; // curves in one stroke
const ARRIVING = 900; // milliseconds in which a new curve stands out

export class ParallelChart implements Drawable {
  onHot: (number: number | null) => void = () => {};
  onOpen: (run: string) => void = () => {};
  /** What the tooltip says of the trial at a place of the list. */
  rowsOf: (trial: number) => TipRow[] = () => [];
  #easel: Easel;
  #state: ParallelState = { trials: [], axes: [], colours: new Float64Array(), classes: false, kept: null };
  /** By trial number its place in the list. */
  #places = new Map<number, number>();
  #arrived = new Map<number, number>();
  #hot: number | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerleave", () => this.#light(null));
    listen("click", () => {
      const run = this.#state.trials[this.#places.get(this.#hot ?? NaN) ?? -1]?.run;
      if (run) this.onOpen(run);
    });
  }

  close(): void {
    this.#easel.close();
    hideTip();
  }

  set(state: ParallelState): void {
    const before = this.#places;
    this.#state = state;
    this.#places = new Map(state.trials.map(({ number }, i) => [number, i]));
    if (before.size > 0 && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const now = performance.now();
      for (const number of this.#places.keys()) if (!before.has(number)) this.#arrived.set(number, now);
    }
    stage.invalidate(this);
  }

  show(number: number | null): void {
    if (number === this.#hot) return;
    this.#hot = number;
    stage.invalidateOver(this);
  }

  // MARK: geometry

  #x(axis: number): number {
    const [left, right] = [MARGIN.side, this.element.clientWidth - MARGIN.side];
    const count = this.#state.axes.length;
    return count < 2 ? (left + right) / 2 : left + (axis / (count - 1)) * (right - left);
  }

  #y(height: number): number {
    const [top, bottom] = [MARGIN.top, this.element.clientHeight - MARGIN.bottom];
    return bottom - height * (bottom - top);
  }

  /** Adds a trial's curve to a path; where it has no value the curve is interrupted. */
  #trace(path: Path2D, trial: number, straight: boolean): void {
    let [beforeX, beforeY] = [NaN, NaN];
    this.#state.axes.forEach(({ heights }, i) => {
      const height = heights[trial]!;
      if (Number.isNaN(height)) {
        beforeX = NaN;
        return;
      }
      const [x, y] = [this.#x(i), this.#y(height)];
      if (Number.isNaN(beforeX)) {
        // Alone between gaps it is a dot.
        path.moveTo(x - 2, y);
        path.lineTo(x, y);
      } else if (straight) path.lineTo(x, y);
      else {
        const middle = (beforeX + x) / 2;
        path.bezierCurveTo(middle, beforeY, middle, y, x, y);
      }
      [beforeX, beforeY] = [x, y];
    });
  }

  // MARK: drawing

  #colour(trial: number, colours: Ink): string {
    const share = this.#state.colours[trial]!;
    if (Number.isNaN(share)) return colours.muted;
    return this.#state.classes ? lineColour(share) : mixed(colours.heat, Math.round(share * SHADES) / SHADES);
  }

  /** Trials of one look together, what is to lie above last: those that a brush leaves out, those without a value, the worst … the best. */
  #layers(): number[][] {
    const { trials, colours, classes, kept } = this.#state;
    const layers = new Map<number, number[]>();
    trials.forEach((_, i) => {
      const share = colours[i]!;
      const look = kept !== null && kept[i] === 0 ? -2 : Number.isNaN(share) ? -1 : classes ? share : SHADES - Math.round(share * SHADES);
      const layer = layers.get(look);
      if (layer) layer.push(i);
      else layers.set(look, [i]);
    });
    return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer);
  }

  draw(): void {
    const { context, width } = this.#easel.base();
    const { trials, kept, colours: shares } = this.#state;
    this.element.dataset["state"] = trials.length > 0 ? "ready" : "empty";
    if (!context || width < 80) return;
    const colours = ink();
    const many = trials.length > MANY;
    context.lineJoin = "round";
    for (const layer of this.#layers()) {
      const first = layer[0]!;
      const dim = kept !== null && kept[first] === 0;
      context.strokeStyle = dim ? colours.grid : this.#colour(first, colours);
      context.globalAlpha = dim ? 0.7 : Number.isNaN(shares[first]!) ? 0.35 : many ? Math.max(0.1, SHOWN / trials.length) : 0.85;
      context.lineWidth = dim || many ? 1 : 1.7;
      for (let from = 0; from < layer.length; from += AT_ONCE) {
        const path = new Path2D();
        for (const trial of layer.slice(from, from + AT_ONCE)) this.#trace(path, trial, many);
        context.stroke(path);
      }
    }
    context.globalAlpha = 1;
    this.#state.axes.forEach((axis, i) => this.#axis(context, axis, i, colours));
  }

  #axis(context: CanvasRenderingContext2D, { axis, brush }: ParallelAxis, i: number, colours: Ink): void {
    const x = Math.round(this.#x(i)) + 0.5;
    const side = i > 0 && i === this.#state.axes.length - 1 ? -1 : 1;
    context.strokeStyle = colours.axis;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, this.#y(1));
    context.lineTo(x, this.#y(0));
    for (const { at } of axis.ticks) {
      context.moveTo(x - 3, this.#y(at));
      context.lineTo(x + 3, this.#y(at));
    }
    context.stroke();
    context.font = colours.font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.textAlign = side < 0 ? "right" : "left";
    context.fillStyle = colours.text;
    context.strokeStyle = colours.panel;
    context.lineWidth = 3;
    for (const { at, label } of axis.ticks) {
      const text = label.length > 12 ? `${label.slice(0, 11)}…` : label;
      context.strokeText(text, x + 6 * side, this.#y(at));
      context.fillText(text, x + 6 * side, this.#y(at));
    }
    if (brush === null) return;
    const [top, bottom] = [this.#y(brush.to), this.#y(brush.from)];
    context.globalAlpha = 0.22;
    context.fillStyle = colours.accent;
    context.fillRect(x - 8, top, 16, bottom - top);
    context.globalAlpha = 1;
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.strokeRect(x - 8, top, 16, bottom - top);
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    if (!context) return;
    const colours = ink();
    const now = performance.now();
    for (const [number, at] of this.#arrived) {
      const trial = this.#places.get(number);
      const age = (now - at) / ARRIVING;
      if (trial === undefined || age >= 1) {
        this.#arrived.delete(number);
        continue;
      }
      const path = new Path2D();
      this.#trace(path, trial, false);
      context.globalAlpha = 1 - age;
      context.strokeStyle = colours.accent;
      context.lineWidth = 3;
      context.stroke(path);
      context.globalAlpha = 1;
    }
    if (this.#arrived.size > 0) stage.invalidateOver(this);
    const hot = this.#places.get(this.#hot ?? NaN);
    if (hot === undefined) return;
    const path = new Path2D();
    this.#trace(path, hot, this.#state.trials.length > MANY);
    context.strokeStyle = colours.panel;
    context.lineWidth = 6;
    context.stroke(path);
    context.strokeStyle = Number.isNaN(this.#state.colours[hot]!) ? colours.accent : this.#colour(hot, colours);
    context.lineWidth = 3;
    context.stroke(path);
  }

  // MARK: pointer

  #light(trial: number | null): void {
    const number = trial === null ? null : this.#state.trials[trial]!.number;
    if (number === null) hideTip();
    if (number === this.#hot) return;
    this.#hot = number;
    this.element.style.cursor = number === null ? "" : "pointer";
    this.onHot(number);
    stage.invalidateOver(this);
  }

  #moved(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const found = this.#nearest(event.clientX - box.left, event.clientY - box.top);
    this.#light(found);
    if (found !== null) showTip(event.clientX, event.clientY, this.#state.trials[found]!.name, this.rowsOf(found));
  }

  /** The kept curve that passes nearest to a point, within reach, by its place in the list. */
  #nearest(px: number, py: number): number | null {
    const { axes, trials, kept } = this.#state;
    const right = axes.findIndex((_, i) => i > 0 && this.#x(i) >= px);
    if (right < 1 || px < this.#x(0)) return null;
    const [a, b] = [axes[right - 1]!.heights, axes[right]!.heights];
    const [x0, x1] = [this.#x(right - 1), this.#x(right)];
    const share = (px - x0) / (x1 - x0);
    // The curve between two axes rises like smoothstep does, closely enough to point at.
    const eased = trials.length > MANY ? share : share * share * (3 - 2 * share);
    let [best, distance]: [number | null, number] = [null, REACH];
    for (let i = 0; i < trials.length; i++) {
      if (kept !== null && kept[i] === 0) continue;
      const away = Math.abs(this.#y(a[i]! + (b[i]! - a[i]!) * eased) - py);
      if (away < distance) [best, distance] = [i, away];
    }
    return best;
  }

  describe(): Description {
    const { trials, axes, kept } = this.#state;
    return {
      title: this.title,
      kind: "parallel",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: axes.map(({ id, axis, heights }) => ({
        id, name: axis.note === "" ? axis.name : `${axis.name} (${axis.note})`,
        points: heights.reduce((sum, height, i) => sum + (Number.isNaN(height) || kept?.[i] === 0 ? 0 : 1), 0),
        last: trials.length === 0 ? null : { x: trials[trials.length - 1]!.number, y: heights[trials.length - 1]! },
      })),
      xDomain: null,
      yDomain: null,
      cursor: null,
      hot: this.#hot === null ? null : String(this.#hot),
    };
  }
}
