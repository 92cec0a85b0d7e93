// Scrolling through more lines than a browser can lay out: beyond a height, the bar's way stands for all of them.

const TALLEST = 8_000_000; // pixels; browsers stop somewhere above 16 million

export interface Reel {
  line: number;
  /** Lines there are, and the box's height in pixels. */
  total: number;
  height: number;
}

/** The height of what is scrolled, in pixels. */
export const reelHeight = ({ line, total }: Reel): number => Math.min(TALLEST, total * line);

const scaled = (reel: Reel): boolean => reel.total * reel.line > TALLEST;

/** The most lines that can lie above the box. */
export const lastTop = ({ line, total, height }: Reel): number => Math.max(0, total - height / line);

/** How many lines lie above the box's edge, for a position of the scroll bar. */
export function topAt(reel: Reel, scrollTop: number): number {
  if (!scaled(reel)) return scrollTop / reel.line;
  return (scrollTop / Math.max(1, reelHeight(reel) - reel.height)) * lastTop(reel);
}

/** The position of the scroll bar at which so many lines lie above the edge. */
export function scrollAt(reel: Reel, top: number): number {
  const clamped = Math.min(lastTop(reel), Math.max(0, top));
  if (!scaled(reel)) return clamped * reel.line;
  return (clamped / Math.max(1e-9, lastTop(reel))) * Math.max(1, reelHeight(reel) - reel.height);
}

/** Where the line after `first` lines is drawn, while `top` lines lie above the edge. */
export const drawAt = (reel: Reel, first: number, top: number, scrollTop: number): number =>
  (scaled(reel) ? scrollTop + (first - top) * reel.line : first * reel.line);

/** Whether a wheel must be translated: a pixel of the bar is many lines. */
export const needsWheel = scaled;
