// A patch as `git diff` writes it: its files, and lines with the numbers that they have on both sides.

export type PatchKind = "add" | "remove" | "same" | "hunk" | "note";

export interface PatchLine {
  kind: PatchKind;
  text: string;
  /** Line numbers from 1; null where the line is not on that side. */
  before: number | null;
  after: number | null;
}

export interface PatchFile {
  name: string;
  added: number;
  removed: number;
  lines: PatchLine[];
}

/** Reads a patch. What is no part of one is kept as notes, so that nothing is hidden. */
export function readPatch(text: string): PatchFile[] {
  const files: PatchFile[] = [];
  let [before, after] = [0, 0];
  let inHunk = false;
  let file: PatchFile | null = null;
  const open = (name: string): PatchFile => {
    const made = { name, added: 0, removed: 0, lines: [] };
    files.push(made);
    inHunk = false;
    return made;
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const git = /^diff --git (?:"?a\/.*?"?) "?b\/(.*?)"?$/.exec(line);
    if (git) {
      file = open(git[1]!);
      continue;
    }
    if (!inHunk && /^(--- |\+\+\+ |index |new file mode|deleted file mode|old mode|new mode|similarity|rename )/.test(line)) {
      const named = /^\+\+\+ (?:b\/)?([^\t]+)/.exec(line);
      if (named && (!file || (file.lines.length > 0 && file.name !== named[1]))) file = open(named[1]!);
      else if (file && /^(new file|deleted file|rename|old mode|new mode)/.test(line)) file.lines.push({ kind: "note", text: line, before: null, after: null });
      continue;
    }
    file ??= open("");
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      inHunk = true;
      file.lines.push({ kind: "hunk", text: line, before: null, after: null });
    } else if (inHunk && line.startsWith("+")) {
      file.added++;
      file.lines.push({ kind: "add", text: line.slice(1), before: null, after: after++ });
    } else if (inHunk && line.startsWith("-")) {
      file.removed++;
      file.lines.push({ kind: "remove", text: line.slice(1), before: before++, after: null });
    } else if (inHunk && (line.startsWith(" ") || line === "")) {
      file.lines.push({ kind: "same", text: line.slice(1), before: before++, after: after++ });
    } else file.lines.push({ kind: "note", text: line, before: null, after: null });
  }
  return files.filter(({ name, lines }) => name !== "" || lines.some(({ text: each }) => each !== ""));
}
