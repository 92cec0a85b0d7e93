// Output as lines, of which a window is kept: text comes at its end and before its beginning.

export const MOST_LINES = 200_000;

/** A line with which a piece of the output began, and where in the output that is, in bytes. */
interface Mark {
  line: number;
  offset: number;
}

/** Output as lines. A carriage return writes a line anew, as in a terminal: a progress bar stays one line. */
export class LogLines {
  lines: string[] = [];
  /** How many lines were dropped from the beginning. */
  dropped = 0;
  /** Whether the first line lacks its beginning. */
  #torn = false;
  /** Whether the first line wrote over what stood before in it. */
  #over = false;
  /** Whether the last line still lacks its end. */
  #open = false;
  #marks: Mark[] = [];
  /** How many lines are kept now. */
  #room: number;

  constructor(readonly most = MOST_LINES) {
    this.#room = most;
  }

  get torn(): boolean {
    return this.#torn;
  }

  /** Where the first line begins; null where that was not said. */
  get from(): number | null {
    return this.#marks[0]?.offset ?? null;
  }

  /** Adds what follows, which lies at `offset`; of too many lines, whole pieces at the beginning are dropped. */
  append(text: string, offset?: number, torn = false): void {
    if (text === "") return;
    if (this.lines.length === 0) this.#torn = torn;
    if (offset !== undefined && !this.#open) this.#marks.push({ line: this.lines.length, offset });
    const pieces = text.split("\n");
    const last = pieces.pop()!;
    for (const piece of pieces) {
      this.#extend(piece);
      this.#open = false;
    }
    if (last !== "") {
      this.#extend(last);
      this.#open = true;
    }
    this.#trim();
  }

  /**
   * Adds what stands before the first line, `torn`: from inside a line. The reader asked for it: it stays until as
   * many lines have come as are kept otherwise.
   */
  prepend(text: string, offset?: number, torn = false): void {
    const earlier = new LogLines(Infinity);
    earlier.append(text, offset, torn);
    let shift = earlier.lines.length;
    if (earlier.#open && this.#torn) {
      // The first line's beginning, unless that was written over.
      const [start, rest] = [earlier.lines.pop()!, this.lines.shift()!];
      const whole = this.#over ? `${start}\r${rest}` : start + rest;
      this.lines.unshift(overwrite(whole));
      earlier.#over ||= shift === 1 && (this.#over || overwrite(whole) !== whole);
      shift--;
      this.#marks.shift();
    }
    this.lines = [...earlier.lines, ...this.lines];
    this.#marks = [...earlier.#marks, ...this.#marks.map((mark) => ({ ...mark, line: mark.line + shift }))];
    this.#room = this.lines.length + this.most;
    if (text !== "") [this.#torn, this.#over] = [torn, earlier.#over];
  }

  #extend(piece: string): void {
    const whole = this.#open ? this.lines.pop()! + piece : piece;
    const shown = overwrite(whole);
    if (this.lines.length === 0 && shown !== whole) this.#over = true;
    this.lines.push(shown);
  }

  /** Where a line begins in the output is known at the beginnings of pieces alone: they are dropped whole. */
  #trim(): void {
    const excess = this.lines.length - this.#room;
    if (excess <= 0) return;
    const found = this.#marks.findIndex(({ line }) => line >= excess);
    const kept = this.#marks.slice(found); // the last piece stays, however many lines it has
    const line = kept[0]?.line ?? 0;
    if (line === 0) return;
    this.lines.splice(0, line);
    this.#marks = kept.map((mark) => ({ ...mark, line: mark.line - line }));
    this.dropped += line;
    this.#torn = false;
  }
}

/** What a terminal shows of a line with carriage returns. One at the end may be half of a line's end: it waits. */
export function overwrite(line: string): string {
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  const at = whole.lastIndexOf("\r");
  if (at < 0) return line;
  return whole.slice(at + 1) + line.slice(whole.length);
}
