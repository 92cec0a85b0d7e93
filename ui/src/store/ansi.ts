// Colours that programs write for terminals (ECMA-48, SGR), as spans with a class; every other escape is left out.

export interface Span {
  text: string;
  /** Class names like `ansi-1 ansi-bold`, or "". */
  style: string;
}

// eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
const ESCAPE = /\u001b(?:\[([0-9;:?]*)([A-Za-z])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

const MARKS = ["bold", "dim", "italic", "underline"] as const;

interface Look {
  colour: number | null;
  marks: Set<(typeof MARKS)[number]>;
}

/** The one of the eight colours that is nearest in hue: those of the page are legible on its ground, whatever the theme. */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most < 60) return 0;
  const lit = (part: number) => (part > most * 0.6 ? 1 : 0);
  return lit(red) + 2 * lit(green) + 4 * lit(blue);
}

/** A colour of the 256: the 16 named ones, a cube of 6 × 6 × 6, and greys. */
function ofPalette(index: number): number {
  if (index < 16) return index % 8;
  if (index >= 232) return index < 240 ? 0 : 7;
  const cube = index - 16;
  return nearest(...([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((part) => part * 51) as [number, number, number]));
}

function apply(codes: readonly number[], look: Look): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) {
      look.colour = null;
      look.marks.clear();
    } else if (code >= 1 && code <= 4) look.marks.add(MARKS[code - 1]!);
    else if (code === 22) {
      look.marks.delete("bold");
      look.marks.delete("dim");
    } else if (code === 23) look.marks.delete("italic");
    else if (code === 24) look.marks.delete("underline");
    else if (code === 39) look.colour = null;
    else if (code >= 30 && code <= 37) look.colour = code - 30;
    else if (code >= 90 && code <= 97) look.colour = code - 90;
    else if (code === 38 || code === 48) {
      // The colour's own numbers follow: they are no codes.
      const [kind, a = 0, b = 0, c = 0] = codes.slice(i + 1);
      if (code === 38 && kind === 5) look.colour = ofPalette(a);
      else if (code === 38 && kind === 2) look.colour = nearest(a, b, c);
      i += kind === 5 ? 2 : kind === 2 ? 4 : 0;
    }
  }
}

/** Splits a line into spans of one style. */
export function spans(line: string): Span[] {
  if (!line.includes("\u001b")) return line === "" ? [] : [{ text: line, style: "" }];
  const out: Span[] = [];
  const look: Look = { colour: null, marks: new Set() };
  let from = 0;
  const push = (text: string) => {
    if (text === "") return;
    const style = [look.colour === null ? "" : `ansi-${look.colour}`, ...MARKS.filter((mark) => look.marks.has(mark)).map((mark) => `ansi-${mark}`)];
    out.push({ text, style: style.join(" ").trim() });
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(line.slice(from, match.index));
    from = (match.index ?? 0) + (match[0] ?? "").length;
    if (match[2] === "m") apply((match[1] ?? "").split(/[;:]/).map(Number), look);
  }
  push(line.slice(from));
  return out;
}

/** The spans cut at ranges of their text (UTF-16), those inside with the class `found` besides. */
export function marked(all: readonly Span[], ranges: readonly (readonly [number, number])[]): Span[] {
  if (ranges.length === 0) return [...all];
  const out: Span[] = [];
  let at = 0;
  for (const { text, style } of all) {
    const cuts = new Set([0, text.length]);
    for (const edge of ranges.flat()) if (edge > at && edge < at + text.length) cuts.add(edge - at);
    const sorted = [...cuts].sort((a, b) => a - b);
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [from, to] = [sorted[i]!, sorted[i + 1]!];
      const inside = ranges.some(([start, end]) => at + from >= start && at + to <= end);
      if (to > from) out.push({ text: text.slice(from, to), style: inside ? `${style} found`.trim() : style });
    }
    at += text.length;
  }
  return out;
}
