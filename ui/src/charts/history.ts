// The history of a sweep: each trial's objective in the order of trials, and the best so far as a stepped line.
import { formatMetric } from "../format";
import { Easel } from "./easel";
import { type Frame, drawFrame, padded, rangeOf } from "./frame";
import { ink } from "./ink";
import { type MarkKind, SHAPES, drawMark, markColour } from "./marks";
import type { Description } from "./registry";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

export interface HistoryPoint {
  number: number;
  name: string;
  kind: MarkKind;
  objective: number;
  /** The run to open, if there is one. */
  run: string | null;
  /** The page's filter leaves it out. */
  isDim: boolean;
}

export interface HistoryState {
  points: readonly HistoryPoint[];
  best: readonly { number: number; best: number }[];
  /** How many trials there will be, if that is known: the axis is as long from the start. */
  total: number | null;
  log: boolean;
}

const REACH = 16;

export class HistoryChart implements Drawable {
  onReading: (text: string) => void = () => {};
  onHot: (number: number | null) => void = () => {};
  onOpen: (point: HistoryPoint) => void = () => {};
  #easel: Easel;
  #state: HistoryState = { points: [], best: [], total: null, log: false };
  #frame: Frame | null = null;
  #hot: HistoryPoint | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerleave", () => this.#light(null));
    listen("click", () => this.#hot && this.onOpen(this.#hot));
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#light(null));
  }

  close(): void {
    this.#easel.close();
    if (this.#hot) hideTip();
  }

  set(state: HistoryState): void {
    this.#state = state;
    stage.invalidate(this);
  }

  /** Lights a trial that is pointed at elsewhere. */
  show(number: number | null): void {
    this.#hot = this.#state.points.find((point) => point.number === number) ?? null;
    stage.invalidateOver(this);
  }

  draw(): void {
    const { context, width, height } = this.#easel.base();
    this.#frame = null;
    if (!context || width < 40) return;
    const { points, best, total, log } = this.#state;
    const values = points.map(({ objective }) => objective).filter((value) => Number.isFinite(value) && (!log || value > 0));
    this.element.dataset["state"] = values.length > 0 ? "ready" : "empty";
    if (values.length === 0) return;
    const [first, end] = rangeOf(points.map(({ number }) => number));
    const last = Math.max(total !== null && total <= 100_000 ? total - 1 : 0, end);
    const colours = ink();
    const frame = drawFrame(context, {
      width, height, logY: log, xKind: "step",
      xDomain: [Math.min(0, first) - 0.6, last + 0.6],
      yDomain: padded(...rangeOf(values), log),
    }, colours);
    this.#frame = frame;
    // Those that the filter holds lie above the others.
    for (const isDim of [true, false]) for (const point of points) if (point.isDim === isDim) this.#mark(context, frame, point);
    this.#best(context, frame, best);
  }

  #best(context: CanvasRenderingContext2D, { plot, x, y }: Frame, best: HistoryState["best"]): void {
    const usable = best.filter((each) => !this.#state.log || each.best > 0);
    if (usable.length === 0) return;
    const colours = ink();
    context.beginPath();
    usable.forEach((each, i) => {
      const [px, py] = [x.at(each.number), y.at(each.best)];
      if (i === 0) context.moveTo(px, py);
      else {
        context.lineTo(px, y.at(usable[i - 1]!.best));
        context.lineTo(px, py);
      }
    });
    const end = Math.min(plot.right, x.at(rangeOf(this.#state.points.map(({ number }) => number))[1]));
    context.lineTo(end, y.at(usable[usable.length - 1]!.best));
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.stroke();
    context.lineTo(end, plot.bottom);
    context.lineTo(x.at(usable[0]!.number), plot.bottom);
    context.closePath();
    context.globalAlpha = 0.07;
    context.fillStyle = colours.accent;
    context.fill();
    context.globalAlpha = 1;
  }

  #mark(context: CanvasRenderingContext2D, { plot, x, y }: Frame, point: HistoryPoint): void {
    const colours = ink();
    const px = x.at(point.number);
    if (Number.isFinite(point.objective) && !(this.#state.log && point.objective <= 0)) {
      drawMark(context, point.kind, px, y.at(point.objective), colours, this.#state.points.length, point.isDim);
    } else if (point.kind !== "complete") {
      // No value: the mark stands on the axis.
      drawMark(context, point.kind, px, plot.bottom - 6, colours, this.#state.points.length, point.isDim);
    }
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const hot = this.#hot;
    if (!context || !this.#frame || !hot) return;
    const { plot, x, y } = this.#frame;
    const colours = ink();
    const px = Math.round(x.at(hot.number)) + 0.5;
    context.strokeStyle = colours.muted;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(px, plot.top);
    context.lineTo(px, plot.bottom);
    context.stroke();
    context.setLineDash([]);
    if (!Number.isFinite(hot.objective)) return;
    context.beginPath();
    context.arc(px, y.at(hot.objective), 5.5, 0, 2 * Math.PI);
    context.fillStyle = colours.accent;
    context.strokeStyle = colours.panel;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }

  #light(point: HistoryPoint | null, at?: { x: number; y: number }): void {
    if (point !== this.#hot) {
      this.#hot = point;
      this.onHot(point?.number ?? null);
      stage.invalidateOver(this);
    }
    if (point && at) {
      showTip(at.x, at.y, `trial ${point.number}, ${SHAPES[point.kind].word}`, [{
        colour: markColour(point.kind, ink()), name: point.name, hot: true,
        value: Number.isFinite(point.objective) ? formatMetric(point.objective) : SHAPES[point.kind].word,
      }]);
    } else hideTip();
  }

  #moved(event: PointerEvent): void {
    if (!this.#frame) return;
    const box = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { x, y, plot } = this.#frame;
    let found: HistoryPoint | null = null;
    let distance = Infinity;
    for (const point of this.#state.points) {
      const across = Math.abs(x.at(point.number) - px);
      const down = Math.abs((Number.isFinite(point.objective) ? y.at(point.objective) : plot.bottom - 5) - py);
      const away = across * 2 + down * 0.5;
      if (across <= REACH && away < distance) [found, distance] = [point, away];
    }
    this.#light(found, { x: event.clientX, y: event.clientY });
  }

  #key(event: KeyboardEvent): void {
    const { points } = this.#state;
    if (points.length === 0 || !this.#frame) return;
    const at = this.#hot ? points.indexOf(this.#hot) : -1;
    let to: number;
    switch (event.key) {
      case "ArrowLeft": to = Math.max(0, at - 1); break;
      case "ArrowRight": to = Math.min(points.length - 1, at + 1); break;
      case "Home": to = 0; break;
      case "End": to = points.length - 1; break;
      case "Enter":
        if (this.#hot) this.onOpen(this.#hot);
        return;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    const point = points[to]!;
    const box = this.element.getBoundingClientRect();
    this.#light(point, { x: box.left + this.#frame.x.at(point.number), y: box.top + 40 });
    const value = Number.isFinite(point.objective) ? `${formatMetric(point.objective)}, ` : "";
    this.onReading(`trial ${point.number}, ${point.name}, ${value}${SHAPES[point.kind].word}`);
  }

  describe(): Description {
    const { points, best } = this.#state;
    const end = points[points.length - 1];
    const top = best[best.length - 1];
    return {
      title: this.title,
      kind: "history",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: [
        { id: "objective", name: "objective", points: points.filter(({ objective }) => Number.isFinite(objective)).length,
          last: end ? { x: end.number, y: end.objective } : null },
        { id: "best", name: "best so far", points: best.length, last: top ? { x: top.number, y: top.best } : null },
      ],
      xDomain: this.#frame?.x.domain ?? null,
      yDomain: this.#frame?.y.domain ?? null,
      cursor: this.#hot?.number ?? null,
      hot: this.#hot?.run ?? null,
    };
  }
}
