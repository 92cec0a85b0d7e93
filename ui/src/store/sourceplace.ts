// Where something is wrong in a file that the server has read.
import type { ApiError } from "../api/client";

/** From 1. */
export interface SourcePlace {
  line: number;
  column: number;
}

/** What is wrong, and where; null: it lies nowhere in the text. */
export interface Flaw {
  place: SourcePlace | null;
  text: string;
}

/** All that an answer says is wrong: of a file a line for each flaw, which begins with the file's name and the place. */
export function flawsOf(error: Pick<ApiError, "message" | "details">): Flaw[] {
  const { line } = (error.details ?? {}) as { line?: unknown };
  if (typeof line !== "number") return [{ place: null, text: error.message }];
  return error.message.split("\n").map((text) => {
    const match = /^[^\n]*?:(\d+):(\d+): (.+)$/.exec(text);
    return match ? { place: { line: Number(match[1]), column: Number(match[2]) }, text: match[3]! } : { place: null, text };
  });
}

/** Which member of the request an answer is about; null: none, or the file. */
export function memberOf(error: Pick<ApiError, "details"> | null): string | null {
  const { key, line } = (error?.details ?? {}) as { key?: unknown; line?: unknown };
  return typeof key === "string" && typeof line !== "number" ? key : null;
}

/** How far into a text a place is; columns count characters, as people see them. */
export function offsetOf(text: string, { line, column }: SourcePlace): number {
  const lines = text.split("\n");
  if (line > lines.length) return text.length;
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return before + [...lines[line - 1]!].slice(0, column - 1).join("").length;
}
