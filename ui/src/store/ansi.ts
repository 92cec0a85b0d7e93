// Colours that programs write for terminals (ECMA-48, SGR), as spans with a class; every other escape is left out.

export interface Span {
  text: string;
  /** A class name like `ansi-1 ansi-bold`, or "". */
  style: string;
}

// eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
const ESCAPE = /\u001b(?:\[([0-9;?]*)([A-Za-z])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Splits a line into spans of one style. */
export function spans(line: string): Span[] {
  if (!line.includes("\u001b")) return line === "" ? [] : [{ text: line, style: "" }];
  const out: Span[] = [];
  let colour: number | null = null;
  let bold = false;
  let from = 0;
  const push = (text: string) => {
    if (text === "") return;
    const style = [colour === null ? "" : `ansi-${colour}`, bold ? "ansi-bold" : ""].join(" ").trim();
    out.push({ text, style });
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(line.slice(from, match.index));
    from = (match.index ?? 0) + (match[0] ?? "").length;
    if (match[2] !== "m") continue;
    for (const code of (match[1] ?? "").split(";").map(Number)) {
      if (code === 0) [colour, bold] = [null, false];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code === 39) colour = null;
      else if (code >= 30 && code <= 37) colour = code - 30;
      else if (code >= 90 && code <= 97) colour = code - 90;
    }
  }
  push(line.slice(from));
  return out;
}
