// How trials are marked in charts: a shape for each state, so that colour is not all that tells them apart.
import type { Ink } from "./ink";

export type MarkKind = "complete" | "front" | "infeasible" | "pruned" | "running" | "paused" | "failed";

interface Shape {
  /** In a legend. */
  word: string;
  /** An SVG path around 0, 0. */
  path: string;
  /** The style token of its colour. */
  token: "line-0" | "line-1" | "warn" | "muted" | "accent" | "bad";
  filled: boolean;
}

export const SHAPES: Record<MarkKind, Shape> = {
  complete: { word: "complete", path: "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z", token: "line-0", filled: true },
  front: { word: "on the front", path: "M0-5.6L5.6 0L0 5.6L-5.6 0z", token: "line-1", filled: true },
  infeasible: { word: "misses a constraint", path: "M-3.4-3.4h6.8v6.8h-6.8z", token: "warn", filled: false },
  pruned: { word: "pruned", path: "M-4.2-3.2h8.4L0 4.4z", token: "muted", filled: false },
  running: { word: "running", path: "M0-4.6L4.6 0L0 4.6L-4.6 0z", token: "accent", filled: false },
  paused: { word: "paused", path: "M-2.2-3.8v7.6M2.2-3.8v7.6", token: "muted", filled: false },
  failed: { word: "failed", path: "M-3.2-3.2l6.4 6.4M3.2-3.2l-6.4 6.4", token: "bad", filled: false },
};

const KINDS = Object.keys(SHAPES) as MarkKind[];
const paths = new Map<MarkKind, Path2D>();

function inkOf(ink: Ink, token: Shape["token"]): string {
  switch (token) {
    case "line-0": return ink.lines[0]!;
    case "line-1": return ink.lines[1]!;
    default: return ink[token];
  }
}

/** How much of a mark is left of a trial that the page's filter leaves out. */
const DIM = 0.14;

const MANY = 600; // marks in one chart above which each is small and has no edge

/** Draws one mark of so many, in its kind's colour or another; the context's transform is left as it was. */
export function drawMark(
  context: CanvasRenderingContext2D, kind: MarkKind, x: number, y: number, ink: Ink, count = 1, isDim = false, another: string | null = null,
): void {
  const { path, token, filled } = SHAPES[kind];
  let made = paths.get(kind);
  if (!made) paths.set(kind, (made = new Path2D(path)));
  const colour = another ?? inkOf(ink, token);
  const size = count > MANY && kind !== "front" ? 0.6 : 1;
  if (isDim) context.globalAlpha = DIM;
  context.translate(x, y);
  context.scale(size, size);
  context.fillStyle = filled ? colour : ink.panel;
  context.strokeStyle = filled ? ink.panel : colour;
  context.lineWidth = filled ? 1 : 1.6;
  if (kind !== "failed" && kind !== "paused") context.fill(made);
  if (!filled || size === 1) context.stroke(made);
  context.scale(1 / size, 1 / size);
  context.translate(-x, -y);
  if (isDim) context.globalAlpha = 1;
}

/** The colour of a mark, for a tooltip. */
export function markColour(kind: MarkKind, ink: Ink): string {
  return inkOf(ink, SHAPES[kind].token);
}

/** Those that occur, in the order of a legend. */
export function kindsOf(points: readonly { kind: MarkKind }[]): MarkKind[] {
  const present = new Set(points.map(({ kind }) => kind));
  return KINDS.filter((kind) => present.has(kind));
}
