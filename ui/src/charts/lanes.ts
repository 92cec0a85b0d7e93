// Lanes over time: who held, holds and will hold what. The past is filled, what is planned is dashed.
import { type Lane, PLANNED, type Span, type Spot, isPlanned, stepped } from "../store/lanes";
import { Easel } from "./easel";
import { ink, lineColour } from "./ink";
import type { Description } from "./registry";
import { type Scale, clockTicks, linear } from "./scale";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

export const LANE = 26; // pixels
const BAR = 18;
const FOOT = 22;
const LEAST = 2; // pixels that a span is wide, so that it can be seen
const TIGHT = 560; // pixels of width below which there is less room beside the lanes

/** How high the chart has to be. */
export const lanesHeight = (lanes: number): number => lanes * LANE + FOOT;

export interface LanesState {
  lanes: readonly Lane[];
  /** Microseconds. */
  window: readonly [number, number];
  now: number;
  /** The slot of a span's colour. */
  slot: (span: Span) => number;
  /** What is told of a span beside its name. */
  told: (span: Span) => string;
}

export class LanesChart implements Drawable {
  onReading: (text: string) => void = () => {};
  onOpen: (span: Span) => void = () => {};
  #easel: Easel;
  #state: LanesState = { lanes: [], window: [0, 1], now: 0, slot: () => 0, told: () => "" };
  #x: Scale | null = null;
  #hot: { lane: string; key: string } | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerleave", () => this.#light(null));
    listen("click", () => {
      const spot = this.#spot();
      if (spot) this.onOpen(spot.span);
    });
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#light(null));
  }

  close(): void {
    this.#easel.close();
    if (this.#hot) hideTip();
  }

  set(state: LanesState): void {
    this.#state = state;
    stage.invalidate(this);
  }

  #gutter(width: number): number {
    return width < TIGHT ? 50 : 64;
  }

  draw(): void {
    const { context, width, height } = this.#easel.base();
    this.#x = null;
    if (!context || width < 80) return;
    const { lanes, window, now } = this.#state;
    const colours = ink();
    const left = this.#gutter(width);
    const bottom = height - FOOT;
    const x = linear([window[0] / 1e6, window[1] / 1e6], [left, width - 8]);
    this.#x = x;
    context.font = colours.font;
    context.textBaseline = "middle";
    context.lineWidth = 1;
    context.textAlign = "center";
    for (const { value, label } of clockTicks(x, Math.max(2, Math.floor((width - left) / 90)))) {
      const at = Math.round(x.at(value)) + 0.5;
      context.strokeStyle = colours.grid;
      context.beginPath();
      context.moveTo(at, 0);
      context.lineTo(at, bottom);
      context.stroke();
      context.fillStyle = colours.muted;
      const half = context.measureText(label).width / 2;
      if (at - half > left - 12 && at + half < width) context.fillText(label, at, bottom + 12);
    }
    lanes.forEach((lane, i) => this.#lane(context, lane, i, left, width));
    const at = Math.round(x.at(now / 1e6)) + 0.5;
    context.strokeStyle = colours.accent;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(at, 0);
    context.lineTo(at, bottom);
    context.stroke();
  }

  #lane(context: CanvasRenderingContext2D, lane: Lane, i: number, left: number, width: number): void {
    const colours = ink();
    const top = i * LANE;
    context.strokeStyle = colours.grid;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(lane.title === "" ? left : 0, top + 0.5);
    context.lineTo(width, top + 0.5);
    if (lane.title !== "" || i > 0) context.stroke();
    if (lane.title !== "") {
      context.fillStyle = colours.muted;
      context.textAlign = "left";
      context.fillText(lane.title, 4, top + LANE / 2 + 1);
    }
    context.save();
    context.beginPath();
    context.rect(left, top, width - left, LANE);
    context.clip();
    for (const span of lane.spans) this.#span(context, span, top + (LANE - BAR) / 2);
    context.restore();
  }

  /** Where a span lies: what is done from `a` to `b`, what is planned to `c`. */
  #edges(span: Span): { a: number; b: number; c: number } {
    const x = this.#x!;
    const now = this.#state.now / 1e6;
    const a = x.at(span.from / 1e6);
    const { window } = this.#state;
    if (isPlanned(span)) return { a, b: a, c: x.at((span.from + PLANNED * (window[1] - window[0])) / 1e6) - 4 };
    const b = Math.max(a + LEAST, x.at(span.to === null ? Math.max(now, span.from / 1e6) : span.to / 1e6));
    const c = span.to === null && span.planned !== null ? Math.max(b, x.at(span.planned / 1e6)) : b;
    return { a, b, c };
  }

  #span(context: CanvasRenderingContext2D, span: Span, top: number): void {
    const colours = ink();
    const colour = FAILED.has(span.state) ? colours.bad : lineColour(this.#state.slot(span));
    const { a, b, c } = this.#edges(span);
    if (c > b) {
      context.setLineDash([4, 3]);
      context.strokeStyle = colour;
      context.lineWidth = 1;
      context.strokeRect(Math.round(b) + 0.5, top + 0.5, Math.round(c - b) - 1, BAR - 1);
      context.setLineDash([]);
    }
    if (b > a) {
      context.fillStyle = colour;
      context.globalAlpha = span.to === null ? 0.3 : 0.16;
      context.fillRect(a, top, b - a, BAR);
      context.globalAlpha = 1;
      context.fillRect(a, top, Math.min(3, b - a), BAR);
    }
    const from = Math.max(a, this.#x!.at(this.#state.window[0] / 1e6)) + 7;
    const room = c - from - 4;
    if (room < 26) return;
    const text = fitted(context, span.name, room);
    if (text === "") return;
    context.fillStyle = isPlanned(span) ? colours.muted : colours.text;
    context.textAlign = "left";
    context.fillText(text, from, top + BAR / 2 + 1);
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const spot = this.#spot();
    if (!context || !this.#x || !spot) return;
    const { a, c } = this.#edges(spot.span);
    context.strokeStyle = ink().accent;
    context.lineWidth = 2;
    context.strokeRect(a - 1, spot.lane * LANE + (LANE - BAR) / 2 - 1, Math.max(4, c - a) + 2, BAR + 2);
  }

  /** What is lit, if it is still there. */
  #spot(): Spot | null {
    const hot = this.#hot;
    if (!hot) return null;
    const lane = this.#state.lanes.findIndex(({ id }) => id === hot.lane);
    const span = this.#state.lanes[lane]?.spans.find(({ key }) => key === hot.key);
    return span ? { lane, span } : null;
  }

  #light(spot: Spot | null, at?: { x: number; y: number }): void {
    this.#hot = spot ? { lane: this.#state.lanes[spot.lane]!.id, key: spot.span.key } : null;
    this.element.style.cursor = spot ? "pointer" : "";
    stage.invalidateOver(this);
    if (spot && at) {
      showTip(at.x, at.y, this.#state.told(spot.span), [
        { colour: lineColour(this.#state.slot(spot.span)), name: spot.span.name, hot: true, value: "" },
      ]);
    } else hideTip();
  }

  #moved(event: PointerEvent): void {
    if (!this.#x) return;
    const box = this.element.getBoundingClientRect();
    const px = event.clientX - box.left;
    const lane = Math.floor((event.clientY - box.top) / LANE);
    const spans = this.#state.lanes[lane]?.spans ?? [];
    // The last of those under the pointer lies on top.
    let found: Span | null = null;
    for (const span of spans) {
      const { a, c } = this.#edges(span);
      if (px >= a - 2 && px <= c + 2) found = span;
    }
    this.#light(found ? { lane, span: found } : null, { x: event.clientX, y: event.clientY });
  }

  /** The point of the window below the middle of a span. */
  #beside({ lane, span }: Spot): { x: number; y: number } {
    const box = this.element.getBoundingClientRect();
    const { a, c } = this.#edges(span);
    return { x: box.left + Math.min(box.width, Math.max(0, (a + c) / 2)), y: box.top + (lane + 1) * LANE };
  }

  #key(event: KeyboardEvent): void {
    const { lanes, told } = this.#state;
    if (event.key === "Enter") {
      const spot = this.#spot();
      if (spot) this.onOpen(spot.span);
      return;
    }
    const to = stepped(lanes, this.#spot(), event.key);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (to === null) return;
    this.#light(to, this.#x ? this.#beside(to) : undefined);
    const title = lanes.slice(0, to.lane + 1).reverse().find((lane) => lane.title !== "")?.title ?? "";
    this.onReading(`${title}: ${to.span.name}, ${told(to.span)}`);
  }

  describe(): Description {
    const { lanes, window, now } = this.#state;
    return {
      title: this.title,
      kind: "lanes",
      visible: this.#easel.visible,
      draws: this.#easel.draws,
      lines: lanes.map(({ id, title, spans }, i) => {
        const last = spans[spans.length - 1];
        return { id, name: title, points: spans.length, last: last ? { x: last.to ?? now, y: i } : null };
      }),
      xDomain: window,
      yDomain: null,
      cursor: null,
      hot: this.#spot()?.span.run ?? null,
    };
  }
}

const FAILED: ReadonlySet<string> = new Set(["failed", "crashed", "killed", "timedOut"]);

/** The text, or as much of its beginning as there is room for. */
function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  const width = context.measureText(text).width;
  if (width <= room) return text;
  const kept = Math.floor((text.length * (room - 8)) / width);
  return kept < 3 ? "" : `${text.slice(0, kept)}…`;
}
