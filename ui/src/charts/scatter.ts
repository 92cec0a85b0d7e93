// Trials as points over two numbers: a metric over a parameter, or two objectives; with a line through or along them.
import { formatMetric } from "../format";
import { Easel } from "./easel";
import { type Frame, drawFrame, padded, rangeOf } from "./frame";
import { ink, mixed } from "./ink";
import { type MarkKind, SHAPES, drawMark, markColour } from "./marks";
import type { Description } from "./registry";
import type { Tick } from "./scale";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

export interface ScatterPoint {
  number: number;
  name: string;
  kind: MarkKind;
  x: number;
  y: number;
  /** Where it lies across, in words. */
  place: string;
  /** Likewise up; absent: its y as a metric. */
  height?: string;
  /** Its share of the way from the best colour to the worst; absent: the colour of its kind. */
  heat?: number;
  /** What is told of it besides. */
  more?: readonly { name: string; value: string }[];
  run: string | null;
  /** The page's filter leaves it out. */
  isDim?: boolean;
}

export interface ScatterLine {
  name: string;
  points: readonly { x: number; y: number }[];
  /** From one point to the next across first, then up or down, or the other way; or straight. */
  form: "across" | "down" | "straight";
}

export interface ScatterState {
  points: readonly ScatterPoint[];
  line: ScatterLine | null;
  /** A line of others, dashed; the chart reaches as far as it does. */
  other?: ScatterLine | null;
  x: {
    name: string;
    log: boolean;
    /** The ends of the axis; null: where the points end. */
    domain: readonly [number, number] | null;
    /** Values without order: where each stands, and its name. */
    classes: Tick[] | null;
  };
  y: {
    name: string;
    log: boolean;
    domain?: readonly [number, number] | null;
    classes?: Tick[] | null;
  };
}

const REACH = 18;
const SPREAD = 0.5; // how much of the room of a class its points take

/** A place beside the middle of a class, the same for a trial each time. */
const beside = (number: number): number => (((number * 0.618034) % 1) - 0.5) * SPREAD;

export class ScatterChart implements Drawable {
  onReading: (text: string) => void = () => {};
  onHot: (number: number | null) => void = () => {};
  onOpen: (run: string) => void = () => {};
  #easel: Easel;
  #state: ScatterState = { points: [], line: null, x: { name: "", log: false, domain: null, classes: null }, y: { name: "", log: false } };
  /** Those that have a place, from left to right. */
  #drawn: ScatterPoint[] = [];
  #frame: Frame | null = null;
  #hot: ScatterPoint | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerleave", () => this.#light(null));
    listen("click", () => this.#hot?.run != null && this.onOpen(this.#hot.run));
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#light(null));
  }

  close(): void {
    this.#easel.close();
    if (this.#hot) hideTip();
  }

  set(state: ScatterState): void {
    this.#state = state;
    const usable = (value: number, log: boolean) => Number.isFinite(value) && (!log || value > 0);
    this.#drawn = state.points.filter(({ x, y }) => usable(x, state.x.log) && usable(y, state.y.log))
      .map((point) => (state.x.classes === null ? point : { ...point, x: point.x + beside(point.number) }))
      .map((point) => (state.y.classes ? { ...point, y: point.y + beside(7 * point.number + 3) } : point))
      .sort((a, b) => a.x - b.x || a.number - b.number);
    this.#hot = this.#drawn.find(({ number }) => number === this.#hot?.number) ?? null;
    stage.invalidate(this);
  }

  /** Lights a trial that is pointed at elsewhere. */
  show(number: number | null): void {
    if ((this.#hot?.number ?? null) === number) return;
    this.#hot = number === null ? null : this.#drawn.find((point) => point.number === number) ?? null;
    stage.invalidateOver(this);
  }

  draw(): void {
    const { context, width, height } = this.#easel.base();
    this.#frame = null;
    this.element.dataset["state"] = this.#drawn.length > 0 ? "ready" : "empty";
    if (!context || width < 40 || this.#drawn.length === 0) return;
    const { x, y, line, other = null } = this.#state;
    const colours = ink();
    const all: readonly { x: number; y: number }[] = other === null ? this.#drawn : [...this.#drawn, ...other.points];
    const ends = (classes: readonly Tick[] | null | undefined, domain: readonly [number, number] | null | undefined, values: () => number[], log: boolean) =>
      classes ? [-0.6, classes.length - 0.4] as const : padded(...(domain ?? rangeOf(values())), log);
    const frame = drawFrame(context, {
      width, height, logY: y.log, logX: x.log, xKind: "number", ...(x.classes ? { xTicks: x.classes } : {}), ...(y.classes ? { yTicks: y.classes } : {}),
      xDomain: ends(x.classes, x.domain, () => all.map((point) => point.x), x.log),
      yDomain: ends(y.classes, y.domain, () => all.map((point) => point.y), y.log),
    }, colours);
    this.#frame = frame;
    // Those that count most lie above the others.
    const above = ({ kind, isDim }: ScatterPoint) => (isDim ? -1 : kind === "front" ? 2 : kind === "complete" ? 1 : 0);
    const ordered = [...this.#drawn].sort((a, b) => above(a) - above(b));
    for (const point of ordered) {
      const heat = point.heat === undefined ? null : mixed(colours.heat, point.heat);
      drawMark(context, point.kind, frame.x.at(point.x), frame.y.at(point.y), colours, ordered.length, point.isDim, heat);
    }
    if (other !== null) this.#line(context, frame, other, colours.lines[2]!, [6, 4]);
    if (line !== null) this.#line(context, frame, line, colours.lines[1]!, []);
  }

  #line(context: CanvasRenderingContext2D, { plot, x, y }: Frame, line: ScatterLine, colour: string, dash: number[]): void {
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    context.clip();
    context.strokeStyle = colour;
    context.setLineDash(dash);
    context.lineWidth = 2;
    context.beginPath();
    if (this.#state.x.classes) {
      for (const point of line.points) {
        context.moveTo(x.at(point.x - 0.4), y.at(point.y));
        context.lineTo(x.at(point.x + 0.4), y.at(point.y));
      }
    } else {
      line.points.forEach((point, i) => {
        const [px, py] = [x.at(point.x), y.at(point.y)];
        const before = line.points[i - 1];
        if (before === undefined) context.moveTo(px, py);
        else {
          if (line.form === "across") context.lineTo(px, y.at(before.y));
          else if (line.form === "down") context.lineTo(x.at(before.x), py);
          context.lineTo(px, py);
        }
      });
    }
    context.stroke();
    context.restore();
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const hot = this.#hot;
    if (!context || !this.#frame || !hot) return;
    const colours = ink();
    context.beginPath();
    context.arc(this.#frame.x.at(hot.x), this.#frame.y.at(hot.y), 7, 0, 2 * Math.PI);
    context.strokeStyle = colours.accent;
    context.lineWidth = 2.5;
    context.stroke();
  }

  #light(point: ScatterPoint | null, at?: { x: number; y: number }): void {
    if (point !== this.#hot) {
      this.#hot = point;
      this.onHot(point?.number ?? null);
      stage.invalidateOver(this);
    }
    if (!point || !at) {
      hideTip();
      return;
    }
    const { x, y } = this.#state;
    showTip(at.x, at.y, `trial ${point.number}, ${SHAPES[point.kind].word}`, [
      { colour: "transparent", name: x.name, value: point.place, hot: false },
      { colour: markColour(point.kind, ink()), name: y.name, value: point.height ?? formatMetric(point.y), hot: true },
      ...(point.more ?? []).map((each) => ({ ...each, colour: "transparent", hot: false })),
    ]);
  }

  #moved(event: PointerEvent): void {
    if (!this.#frame) return;
    const box = this.element.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let [found, distance]: [ScatterPoint | null, number] = [null, REACH];
    for (const point of this.#drawn) {
      const away = Math.hypot(this.#frame.x.at(point.x) - px, this.#frame.y.at(point.y) - py);
      if (away < distance) [found, distance] = [point, away];
    }
    this.#light(found, { x: event.clientX, y: event.clientY });
  }

  #key(event: KeyboardEvent): void {
    const all = this.#drawn;
    if (all.length === 0 || !this.#frame) return;
    const at = this.#hot ? all.indexOf(this.#hot) : -1;
    let to: number;
    switch (event.key) {
      case "ArrowLeft": to = Math.max(0, at - 1); break;
      case "ArrowRight": to = Math.min(all.length - 1, at + 1); break;
      case "Home": to = 0; break;
      case "End": to = all.length - 1; break;
      case "Enter":
        if (this.#hot?.run != null) this.onOpen(this.#hot.run);
        return;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    const point = all[to]!;
    const box = this.element.getBoundingClientRect();
    this.#light(point, { x: box.left + this.#frame.x.at(point.x), y: box.top + this.#frame.y.at(point.y) });
    const { x, y } = this.#state;
    this.onReading([
      `trial ${point.number}`, SHAPES[point.kind].word, `${x.name} ${point.place}`, `${y.name} ${point.height ?? formatMetric(point.y)}`,
      ...(point.more ?? []).map(({ name, value }) => `${name} ${value}`),
    ].join(", "));
  }

  describe(): Description {
    const { points, line, other = null } = this.#state;
    const newest = points[points.length - 1];
    const end = line?.points[line.points.length - 1];
    return {
      title: this.title,
      kind: "scatter",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: [
        { id: "trials", name: "trials", points: this.#drawn.length, last: newest ? { x: newest.x, y: newest.y } : null },
        ...(line === null ? [] : [{ id: "line", name: line.name, points: line.points.length, last: end ?? null }]),
        ...(other === null ? [] : [{ id: "other", name: other.name, points: other.points.length, last: other.points[other.points.length - 1] ?? null }]),
      ],
      xDomain: this.#frame?.x.domain ?? null,
      yDomain: this.#frame?.y.domain ?? null,
      cursor: null,
      hot: this.#hot === null ? null : String(this.#hot.number),
    };
  }
}
