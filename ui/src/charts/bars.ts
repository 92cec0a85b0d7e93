// A histogram: its bins as bars.
import { formatCount, formatMetric, formatNumber } from "../format";
import { type Histogram, describe } from "./bins";
import { Easel } from "./easel";
import { type Frame, drawFrame } from "./frame";
import { ink, lineColour } from "./ink";
import type { Description } from "./registry";
import { type Drawable, stage } from "./stage";
import { hideTip, showTip } from "./tip";

/** Bins of different widths are drawn by density, so that an area stands for a count. */
function heights({ edges, counts }: Histogram): { values: number[]; density: boolean } {
  const widths = counts.map((_, i) => edges[i + 1]! - edges[i]!);
  const [least, most] = [Math.min(...widths), Math.max(...widths)];
  const density = least > 0 && most / least > 1.01;
  return { values: density ? counts.map((count, i) => count / widths[i]!) : [...counts], density };
}

export class BarsChart implements Drawable {
  onReading: (text: string) => void = () => {};
  #easel: Easel;
  #histogram: Histogram = { edges: [], counts: [] };
  #values: number[] = [];
  #slot = 0;
  #frame: Frame | null = null;
  #hot: number | null = null;

  constructor(readonly element: HTMLElement, readonly title: string) {
    this.#easel = new Easel(this);
    const { listen } = this.#easel;
    listen("pointermove", (event) => this.#moved(event));
    listen("pointerleave", () => this.#light(null));
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => this.#light(null));
  }

  close(): void {
    this.#easel.close();
    if (this.#hot !== null) hideTip();
  }

  set(histogram: Histogram, slot: number): void {
    this.#histogram = histogram;
    this.#slot = slot;
    stage.invalidate(this);
  }

  draw(): void {
    const { context, width, height } = this.#easel.base();
    this.#frame = null;
    const { edges, counts } = this.#histogram;
    const finite = edges.filter(Number.isFinite);
    this.element.dataset["state"] = finite.length < 2 ? "gaps" : "ready";
    if (!context || width < 40 || height < 40 || finite.length < 2) return;
    const { values } = heights(this.#histogram);
    this.#values = values;
    const top = values.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0) || 1;
    const frame = drawFrame(context, {
      width, height, xDomain: [finite[0]!, finite[finite.length - 1]!], yDomain: [0, top * 1.06], logY: false, xKind: "number",
    }, ink());
    this.#frame = frame;
    context.fillStyle = lineColour(this.#slot);
    context.globalAlpha = 0.82;
    counts.forEach((_, i) => {
      const bar = this.#bar(frame, i);
      if (bar) context.fillRect(bar.left, bar.top, bar.width, bar.height);
    });
    context.globalAlpha = 1;
  }

  #bar({ plot, x, y }: Frame, i: number): { left: number; top: number; width: number; height: number } | null {
    const { edges } = this.#histogram;
    const value = this.#values[i]!;
    if (!(value > 0) || !Number.isFinite(edges[i]!) || !Number.isFinite(edges[i + 1]!)) return null;
    const [left, right] = [x.at(edges[i]!), x.at(edges[i + 1]!)];
    const gap = right - left > 4 ? 1 : 0;
    const top = Math.min(y.at(value), plot.bottom - 1);
    return { left, top, width: Math.max(1, right - left - gap), height: plot.bottom - top };
  }

  drawOver(): void {
    const { context } = this.#easel.over();
    const frame = this.#frame;
    if (!context || !frame || this.#hot === null) return;
    const { edges } = this.#histogram;
    const [left, right] = [frame.x.at(edges[this.#hot]!), frame.x.at(edges[this.#hot + 1]!)];
    context.globalAlpha = 0.14;
    context.fillStyle = ink().text;
    context.fillRect(left, frame.plot.top, Math.max(1, right - left), frame.plot.bottom - frame.plot.top);
    context.globalAlpha = 1;
  }

  #words(bin: number): { range: string; count: string } {
    const { edges, counts } = this.#histogram;
    const share = counts[bin]! / (describe(this.#histogram).total || 1);
    return {
      range: `${formatNumber(edges[bin]!)} to ${formatNumber(edges[bin + 1]!)}`,
      count: `${Number.isInteger(counts[bin]) ? formatCount(counts[bin]!) : formatMetric(counts[bin]!)} (${formatNumber(share * 100)} %)`,
    };
  }

  #light(bin: number | null, x = 0, y = 0): void {
    this.#hot = bin;
    stage.invalidateOver(this);
    if (bin === null) {
      hideTip();
      return;
    }
    const { range, count } = this.#words(bin);
    showTip(x, y, range, [{ colour: lineColour(this.#slot), name: "count", value: count, hot: false }]);
  }

  #moved(event: PointerEvent): void {
    if (!this.#frame) return;
    const value = this.#frame.x.invert(event.clientX - this.element.getBoundingClientRect().left);
    const { edges, counts } = this.#histogram;
    const bin = edges.findIndex((edge, i) => i < counts.length && value >= edge && value <= edges[i + 1]!);
    this.#light(bin < 0 ? null : bin, event.clientX, event.clientY);
  }

  #key(event: KeyboardEvent): void {
    const { counts, edges } = this.#histogram;
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (by === 0 || !this.#frame || counts.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const bin = Math.min(counts.length - 1, Math.max(0, this.#hot === null ? 0 : this.#hot + by));
    const box = this.element.getBoundingClientRect();
    this.#light(bin, box.left + this.#frame.x.at((edges[bin]! + edges[bin + 1]!) / 2), box.top + box.height / 2);
    const { range, count } = this.#words(bin);
    this.onReading(`${range}: ${count}`);
  }

  describe(): Description {
    const { total } = describe(this.#histogram);
    return {
      title: this.title, kind: "histogram", visible: this.#easel.visible, draws: this.#easel.draws,
      lines: [{ id: "bins", name: "bins", points: this.#histogram.counts.length, last: { x: this.#histogram.counts.length, y: total } }],
      xDomain: this.#frame?.x.domain ?? null, yDomain: this.#frame?.y.domain ?? null, cursor: this.#hot, hot: null,
    };
  }
}
