// The colours of charts: read from the page's style tokens, so that both themes are told in one place.
import { COLOURS } from "./palette";
import { stage } from "./stage";

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [9, 3, 2, 3]];

export interface Ink {
  text: string;
  muted: string;
  grid: string;
  axis: string;
  panel: string;
  accent: string;
  good: string;
  bad: string;
  warn: string;
  font: string;
  lines: string[];
  /** A ramp from the best to the worst, as #rrggbb. */
  heat: string[];
}

let kept: Ink | null = null;

export function ink(): Ink {
  if (kept) return kept;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  kept = {
    text: read("--text"),
    muted: read("--muted"),
    grid: read("--grid"),
    axis: read("--axis"),
    panel: read("--panel"),
    accent: read("--accent"),
    good: read("--good"),
    bad: read("--bad"),
    warn: read("--warn"),
    font: `11px ${read("--font")}`,
    lines: Array.from({ length: COLOURS }, (_, i) => read(`--line-${i}`)),
    heat: [read("--heat-0"), read("--heat-1"), read("--heat-2")],
  };
  return kept;
}

/** The theme changed: read the tokens again and draw everything again. */
export function renewInk(): void {
  kept = null;
  stage.invalidateAll();
}

export function lineColour(slot: number): string {
  return ink().lines[slot % COLOURS]!;
}

export function lineDash(slot: number): readonly number[] {
  return DASHES[Math.floor(slot / COLOURS) % DASHES.length]!;
}

/** The colour at a share (0 to 1) of the way along a ramp of #rrggbb. */
export function mixed(ramp: readonly string[], share: number): string {
  const at = share * (ramp.length - 1);
  const i = Math.min(ramp.length - 2, Math.floor(at));
  const parts = (colour: string) => [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16));
  const [low, high] = [parts(ramp[i]!), parts(ramp[i + 1]!)];
  return `#${low.map((value, j) => Math.round(value + (high[j]! - value) * (at - i)).toString(16).padStart(2, "0")).join("")}`;
}

/** Makes a canvas as sharp as the screen is, and gives its context in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = Math.min(3, devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
