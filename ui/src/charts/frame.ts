// The frame of a chart: plot area, axes with their labels, grid.
import { type Axis, axisTicks } from "./axis";
import { type Ink } from "./ink";
import { type Scale, type Tick, linear, logarithmic, ticks } from "./scale";

export interface Plot {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Frame {
  plot: Plot;
  x: Scale;
  y: Scale;
}

export interface FrameRequest {
  width: number;
  height: number;
  xDomain: readonly [number, number];
  yDomain: readonly [number, number];
  logY: boolean;
  xKind: Axis | "number";
  logX?: boolean;
  /** Where labels stand below; else at round numbers. */
  xTicks?: Tick[];
  /** Likewise beside it. */
  yTicks?: Tick[];
  /** Whether the least y is on top. */
  downwards?: boolean;
}

/** Lays out the frame and draws grid and labels. */
export function drawFrame(context: CanvasRenderingContext2D, request: FrameRequest, ink: Ink): Frame {
  const { width, height, xDomain, yDomain, logY } = request;
  context.font = ink.font;
  const [top, bottom] = [8, height - 20];
  const range = request.downwards ? [top, bottom] as const : [bottom, top] as const;
  const y = logY ? logarithmic(yDomain, range) : linear(yDomain, range);
  const yTicks = request.yTicks ?? ticks(y, Math.max(2, Math.floor((bottom - top) / 36)));
  const widest = Math.max(12, ...yTicks.map(({ label }) => context.measureText(label).width));
  const left = Math.ceil(widest) + 10;
  const right = width - 10;
  const x = request.logX ? logarithmic(xDomain, [left, right]) : linear(xDomain, [left, right]);
  const room = Math.max(2, Math.floor((right - left) / 72));
  const xTicks = request.xTicks ?? axisTicks(request.xKind, x, room);

  context.lineWidth = 1;
  context.strokeStyle = ink.grid;
  context.fillStyle = ink.muted;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.beginPath();
  for (const { value, label } of yTicks) {
    const at = Math.round(y.at(value)) + 0.5;
    context.moveTo(left, at);
    context.lineTo(right, at);
    context.fillText(label, left - 6, at);
  }
  context.stroke();
  context.strokeStyle = ink.axis;
  context.beginPath();
  context.moveTo(left, bottom + 0.5);
  context.lineTo(right, bottom + 0.5);
  context.stroke();
  drawXLabels(context, xTicks, x, bottom, width);
  return { plot: { left, top, right, bottom }, x, y };
}

function drawXLabels(
  context: CanvasRenderingContext2D, xTicks: Tick[], x: Scale, bottom: number, width: number,
): void {
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = -Infinity;
  for (const { value, label } of xTicks) {
    const half = context.measureText(label).width / 2;
    const at = Math.min(Math.max(x.at(value), half), width - half - 1);
    if (at - half < free) continue;
    context.fillText(label, at, bottom + 5);
    free = at + half + 6;
  }
}

/** A domain with a little air above and below. */
export function padded(low: number, high: number, log: boolean): [number, number] {
  if (log) {
    if (low === high) return [low / 1.5, high * 1.5];
    const room = (high / low) ** 0.04;
    return [low / room, high * room];
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
  return [low - room, high + room];
}

/** The least and the greatest of a list that is not empty, of any length. */
export function rangeOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
