// Runs side by side: what they were given, what came out, on what they ran; and which of it differs.
import { ApiError, api } from "../api/client";
import { tracking } from "../api/tracking";
import type { Json, Run, RunFile } from "../api/types";
import { flatten, formatBytes, formatMetric, formatValue } from "../format";
import { slots } from "./colours";
import { byName, configOf, isMetric, metricNames } from "./columns";
import { Follow } from "./follow";
import { type Aggregate, aggregateOf, definedIn, headlineOf } from "./metrics";
import { Store } from "./store";

export type SectionName = "Configuration" | "Metrics" | "Environment" | "Code" | "Files";

export interface CompareCell {
  text: string;
  /** Against the baseline: how much, in absolute and in relative terms. */
  delta: { by: number; share: number | null; better: boolean | null } | null;
}

export interface CompareRow {
  name: string;
  cells: CompareCell[];
  differs: boolean;
}

export interface CompareSection {
  title: SectionName;
  rows: CompareRow[];
}

/** A run with what only its own page knows. */
export interface Compared {
  run: Run;
  files: readonly RunFile[];
}

const plain = (texts: readonly string[], name: string): CompareRow => ({
  name, cells: texts.map((text) => ({ text, delta: null })), differs: texts.some((text) => text !== texts[0]),
});

const shown = (value: Json | undefined): string => (value === undefined || value === null ? "" : formatValue(value));

function config(all: readonly Compared[]): CompareRow[] {
  const names = new Set(all.flatMap(({ run }) => [...configOf(run).keys()]));
  return [...names].sort(byName).map((name) => {
    const row = plain(all.map(({ run }) => (configOf(run).has(name) ? formatValue(configOf(run).get(name)) : "")), name);
    // What four digits do not tell apart still differs.
    const exact = all.map(({ run }) => JSON.stringify(configOf(run).get(name)));
    return { ...row, differs: exact.some((text) => text !== exact[0]) };
  });
}

/** Metrics by the number that stands for each. The first run is the baseline. */
function metrics(all: readonly Compared[], aggregateFor: (name: string) => Aggregate): CompareRow[] {
  const runs = all.map(({ run }) => run);
  return metricNames(runs).map((name) => {
    const goal = definedIn(runs, name)?.goal ?? goalByName(name);
    const values = runs.map((run) => {
      const entry = run.summary[name];
      return isMetric(entry) ? aggregateOf(entry, aggregateFor(name), goal)?.value ?? null : null;
    });
    const base = values[0] ?? null;
    const cells = values.map((value, i): CompareCell => {
      if (value === null) return { text: "", delta: null };
      const text = formatMetric(value);
      if (i === 0 || base === null || !Number.isFinite(value) || !Number.isFinite(base) || value === base) return { text, delta: null };
      const by = value - base;
      return { text, delta: { by, share: base === 0 ? null : by / Math.abs(base), better: goal === null ? null : (by < 0) === (goal === "minimize") } };
    });
    return { name, cells, differs: values.some((value) => !Object.is(value, values[0])) };
  });
}

const LESS = /^(loss|error|err|perplexity|ppl|rmse|mse|mae|logloss|merror|mape|rmsle|cer|wer)$/;
const MORE = /^(acc|accuracy|auc|f1|precision|recall|map|ndcg|iou|bleu|aucpr|r2|score|reward)$/;

/** Which way is better, where nobody said so but a word of the name does: `val/top_acc`, not `access_time`. */
function goalByName(name: string): "minimize" | "maximize" | null {
  const words = (name.split("/").pop() ?? "").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/);
  if (words.some((word) => LESS.test(word))) return "minimize";
  return words.some((word) => MORE.test(word)) ? "maximize" : null;
}

/** What a run ran on, as names and texts: sizes as people read them, lists in one line. */
export function environmentOf(run: Run): Map<string, string> {
  const out = new Map<string, string>();
  const put = (name: string, value: Json | undefined) => {
    if (shown(value) !== "") out.set(name, shown(value));
  };
  put("host", run.host);
  put("python", run.python);
  if (run.command) put("command", run.command.join(" "));
  put("workdir", run.workdir);
  const { gpus, memory_bytes, cgroup_memory_bytes, argv, variables, ...rest } = run.environment ?? {};
  for (const [name, value] of flatten(rest as { [key: string]: Json })) put(name, value);
  if (memory_bytes) put("memory", formatBytes(memory_bytes));
  if (cgroup_memory_bytes) put("memory limit", formatBytes(cgroup_memory_bytes));
  if (gpus && gpus.length > 0) put("gpus", gpus.map(({ name }) => name ?? "?").join(", "));
  if (argv && argv.length > 0) put("arguments", argv.join(" "));
  for (const [name, value] of Object.entries(variables ?? {})) put(`$${name}`, value);
  return out;
}

function named(all: readonly Map<string, string>[]): CompareRow[] {
  const names = new Set(all.flatMap((each) => [...each.keys()]));
  return [...names].sort(byName).map((name) => plain(all.map((each) => each.get(name) ?? ""), name));
}

function code({ run, files }: Compared): Map<string, string> {
  const { git } = run;
  const out = new Map<string, string>();
  if (git?.commit) out.set("commit", git.commit.slice(0, 12));
  if (git?.branch) out.set("branch", git.branch);
  if (git?.remote) out.set("remote", git.remote);
  if (git?.dirty != null) out.set("uncommitted changes", git.dirty ? "yes" : "no");
  const patch = files.find(({ path }) => path === "diff.patch");
  if (patch) out.set("diff.patch", `${patch.sha256.slice(0, 12)}, ${formatBytes(patch.size)}`);
  return out;
}

export function sectionsOf(all: readonly Compared[], aggregateFor?: (name: string) => Aggregate): CompareSection[] {
  const runs = all.map(({ run }) => run);
  const made: CompareSection[] = [
    { title: "Metrics", rows: metrics(all, aggregateFor ?? ((name) => headlineOf(runs, name))) },
    { title: "Configuration", rows: config(all) },
    { title: "Code", rows: named(all.map(code)) },
    { title: "Environment", rows: named(all.map(({ run }) => environmentOf(run))) },
    { title: "Files", rows: named(all.map(({ files }) => new Map(files.map((file) => [file.path, `${file.sha256.slice(0, 12)}, ${formatBytes(file.size)}`])))) },
  ];
  return made.filter(({ rows }) => rows.length > 0);
}

/** The rows that are shown: those that differ, or all, whose names hold a text. `!text`: whose names do not. */
export function chosenRows(section: CompareSection, onlyDiff: boolean, search: string): CompareRow[] {
  const away = search.startsWith("!");
  const needle = (away ? search.slice(1) : search).toLowerCase();
  return section.rows.filter(({ name, differs }) =>
    (differs || !onlyDiff) && (needle === "" || name.toLowerCase().includes(needle) !== away));
}

export function deltaText({ by, share }: NonNullable<CompareCell["delta"]>): string {
  const sign = by > 0 ? "+" : "";
  return share === null ? sign + formatMetric(by) : `${sign}${formatMetric(by)}, ${sign}${formatMetric(share * 100)} %`;
}

/** The table as text: names first, a column for each run. */
export function asGrid(runs: readonly Run[], sections: readonly { title: string; rows: readonly CompareRow[] }[]): string[][] {
  return [["", ...runs.map(({ name }) => name)], ...sections.flatMap(({ rows }) => rows.map((row) => [row.name, ...row.cells.map(({ text }) => text)]))];
}

export const transposed = (grid: readonly string[][]): string[][] => (grid[0] ?? []).map((_, i) => grid.map((row) => row[i] ?? ""));

export function toMarkdown(grid: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  const [head = [], ...rows] = grid;
  return [line(head), `|${head.map((_, i) => (i === 0 ? "---|" : "---:|")).join("")}`, ...rows.map(line)].join("\n") + "\n";
}

const LATEX: Record<string, string> = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "∞": "$\\infty$",
};

export function toLatex(grid: readonly string[][]): string {
  const escape = (cell: string) => cell.replaceAll("\n", " ").replace(/[\\~^−∞]|[&%$#_{}]/g, (found) => LATEX[found] ?? `\\${found}`);
  const line = (cells: readonly string[]) => `${cells.map(escape).join(" & ")} \\\\`;
  const [head = [], ...rows] = grid;
  return [
    `\\begin{tabular}{l${"r".repeat(Math.max(0, head.length - 1))}}`, "\\hline", line(head), "\\hline", ...rows.map(line), "\\hline", "\\end{tabular}",
  ].join("\n") + "\n";
}

/** Runs that are compared at once. */
export const MOST_COMPARED = 50;
const AT_ONCE = 4; // runs that are read at the same time

/** The compared runs, kept fresh. One that is gone is left out, and said. */
export class CompareStore {
  readonly state = new Store<{
    all: readonly Compared[];
    missing: readonly string[];
    /** The names of runs of whose files only the first were read. */
    cut: readonly string[];
    complete: boolean;
  }>({ all: [], missing: [], cut: [], complete: false });
  readonly follow: Follow;
  #held = new Map<string, Compared>();
  #missing: readonly string[] = [];
  #cut = new Set<string>();

  constructor(readonly ids: readonly string[]) {
    this.follow = new Follow({
      request: () => ({ topic: "runs" }),
      read: (signal) => this.#read(signal),
      message: (message) => {
        // In the trash it can still be read; gone for ever, the reading says so.
        if (message.type === "deleted" && this.ids.includes(message.run)) this.follow.read();
        if (message.type !== "run") return;
        const before = this.#held.get(message.run.id);
        if (!before) {
          if (this.#missing.includes(message.run.id)) this.follow.read();
          return;
        }
        // A row of the feed does without the environment.
        this.#held.set(message.run.id, { ...before, run: { ...message.run, environment: before.run.environment ?? null } });
        this.#publish();
      },
    });
  }

  async #read(signal: AbortSignal): Promise<void> {
    const missing: string[] = [];
    const waiting = [...this.ids];
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        try {
          const [run, files] = await Promise.all([api.run(id, signal), tracking.files(id, signal)]);
          signal.throwIfAborted();
          this.#held.set(id, { run, files: files.items });
          if (files.next === null) this.#cut.delete(id);
          else this.#cut.add(id);
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) throw error;
          missing.push(id);
        }
      }
    }));
    signal.throwIfAborted();
    for (const id of missing) this.#held.delete(id);
    this.#missing = missing;
    this.#publish();
  }

  #publish(): void {
    const all = this.ids.flatMap((id) => this.#held.get(id) ?? []);
    const runs = all.map(({ run }) => run);
    for (const project of new Set(runs.map((run) => run.project))) {
      slots.assign(project, runs.filter((run) => run.project === project).sort((a, b) => b.created_at - a.created_at));
    }
    this.state.set({ all, missing: this.#missing, cut: runs.filter(({ id }) => this.#cut.has(id)).map(({ name }) => name), complete: true });
  }

  close(): void {
    this.follow.close();
  }
}
