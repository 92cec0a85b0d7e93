// A grid of cells as a heat map: histograms over steps, or a matrix.
import type { Axis } from "./axis";
import type { Grid } from "./bins";
import { Easel } from "./easel";
import { type Frame, drawFrame } from "./frame";
import { ink, mixed } from "./ink";
import type { Description } from "./registry";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

export interface HeatState {
  grid: Grid;
  xKind: Axis | "number";
  downwards?: boolean;
  /** The x value that is chosen, drawn as a line. */
  chosen: number | null;
  /** Whether a cell of value 0 is empty, and shows what is behind it. */
  emptyAtZero: boolean;
  /** What stands in a cell, in words. */
  words: (column: number, row: number) => { heading: string; value: string };
}

const SHADES = 64;

/** The cell between borders in which a value lies, or the nearest. */
function within(borders: readonly number[], value: number): number {
  const above = borders.findIndex((border) => border > value);
  return above < 0 ? borders.length - 2 : Math.max(0, above - 1);
}

export class HeatChart implements Drawable {
  /** Told which column was clicked or dragged over. */
  onPick: ((column: number) => void) | null = null;
  #easel: Easel;
  #state: HeatState | null = null;
  #frame: Frame | null = null;
  #pressed = false;
  #inside = false;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerdown", (event) => {
      this.#pressed = true;
      this.#moved(event);
    });
    listen("pointerup", () => (this.#pressed = false));
    listen("pointerleave", () => {
      this.#pressed = false;
      this.#inside = false;
      hideTip();
    });
  }

  close(): void {
    this.#easel.close();
    if (this.#inside) hideTip();
  }

  set(state: HeatState): void {
    const same = this.#state?.grid === state.grid;
    this.#state = state;
    if (same) stage.invalidateOver(this);
    else stage.invalidate(this);
  }

  draw(): void {
    const { context, width, height } = this.#easel.base();
    this.#frame = null;
    this.element.dataset["state"] = this.#state ? "ready" : "empty";
    if (!context || width < 40 || height < 40 || !this.#state) return;
    const { grid, xKind, emptyAtZero, downwards = false } = this.#state;
    const { xs, ys, cells } = grid;
    const colours = ink();
    const frame = drawFrame(context, {
      width, height, xDomain: [xs[0]!, xs[xs.length - 1]!], yDomain: [ys[0]!, ys[ys.length - 1]!], logY: false, xKind, downwards,
    }, colours);
    this.#frame = frame;
    const ramp = [colours.panel, colours.accent, mixed([colours.accent, colours.text], 0.55)];
    const shades = Array.from({ length: SHADES + 1 }, (_, i) => mixed(ramp, i / SHADES));
    const rows = ys.length - 1;
    for (let column = 0; column + 1 < xs.length; column++) {
      // Whole pixels: cells with soft borders would shine through.
      const [left, right] = [Math.round(frame.x.at(xs[column]!)), Math.round(frame.x.at(xs[column + 1]!))];
      for (let row = 0; row < rows; row++) {
        const cell = cells[column * rows + row]!;
        if (Number.isNaN(cell) || (emptyAtZero && cell === 0)) continue;
        const ends = [Math.round(frame.y.at(ys[row]!)), Math.round(frame.y.at(ys[row + 1]!))] as const;
        const [top, bottom] = [Math.min(...ends), Math.max(...ends)];
        // The eye sees small differences near nothing better than near the most: the root spreads them.
        context.fillStyle = shades[Math.round((emptyAtZero ? Math.sqrt(cell) : cell) * SHADES)]!;
        context.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
      }
    }
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const frame = this.#frame;
    const chosen = this.#state?.chosen ?? null;
    if (!context || !frame || chosen === null) return;
    const at = Math.round(frame.x.at(chosen)) + 0.5;
    const { muted, panel } = ink();
    for (const [colour, thick] of [[panel, 3], [muted, 1]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.beginPath();
      context.moveTo(at, frame.plot.top);
      context.lineTo(at, frame.plot.bottom);
      context.stroke();
    }
  }

  #moved(event: PointerEvent): void {
    const frame = this.#frame;
    const state = this.#state;
    if (!frame || !state) return;
    const box = this.element.getBoundingClientRect();
    const [x, y] = [frame.x.invert(event.clientX - box.left), frame.y.invert(event.clientY - box.top)];
    const column = within(state.grid.xs, x);
    const row = within(state.grid.ys, y);
    if (this.#pressed) this.onPick?.(column);
    const { heading, value } = state.words(column, row);
    this.#inside = true;
    showTip(event.clientX, event.clientY, heading, [{ colour: ink().accent, name: "", value, hot: false }]);
  }

  describe(): Description {
    const grid = this.#state?.grid;
    const columns = (grid?.xs.length ?? 1) - 1;
    return {
      title: this.title, kind: "heatmap", visible: this.#easel.visible, draws: this.#easel.draws,
      lines: grid ? [{ id: "columns", name: "columns", points: columns, last: null }] : [],
      xDomain: this.#frame?.x.domain ?? null, yDomain: this.#frame?.y.domain ?? null, cursor: this.#state?.chosen ?? null, hot: null,
    };
  }
}
