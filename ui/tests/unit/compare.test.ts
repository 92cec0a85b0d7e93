// Runs side by side: what differs, by how much, and the table as text.
import assert from "node:assert/strict";
import test from "node:test";
import type { Json, Run, RunFile } from "../../src/api/types";
import { asGrid, chosenRows, deltaText, environmentOf, sectionsOf, toLatex, toMarkdown, transposed } from "../../src/store/compare";
import { toCSV } from "../../src/store/tables";

const metric = (last: number | "NaN", min: number) => ({
  last, last_step: 1, last_at: 0, min, min_step: 0, max: 9, max_step: 0, mean: 1, count: 2, nan_count: 0,
});

function run(id: string, config: { [key: string]: Json }, loss: number | "NaN", more: Partial<Run> = {}): Run {
  return {
    id, name: id, project: "p", config, summary: { "val/loss": metric(loss, 0.5), acc: metric(0.9, 0.1) }, tags: [], git: null, host: "a", python: null,
    command: null, workdir: null, metrics: {}, ...more,
  } as unknown as Run;
}

const files: RunFile[] = [{ path: "diff.patch", sha256: "ab".repeat(32), size: 1200, media_type: null, created_at: 0 }];
const all = [
  { run: run("one", { lr: 0.1, seed: 1, model: { depth: 2 } }, 2), files: [] },
  { run: run("two", { lr: 0.1000001, seed: 1 }, 1, { environment: { memory_bytes: 64e9, gpus: [{ name: "A100" }], variables: { OMP: "4" } } }), files },
];

const section = (title: string, of = all) => sectionsOf(of).find((each) => each.title === title)!;

test("only what differs is shown, and what four digits do not tell apart still differs", () => {
  assert.deepEqual(chosenRows(section("Configuration"), true, "").map(({ name }) => name), ["lr", "model.depth"]);
  assert.deepEqual(chosenRows(section("Configuration"), false, "").map(({ name }) => name), ["lr", "model.depth", "seed"]);
  assert.deepEqual(chosenRows(section("Configuration"), false, "!e").map(({ name }) => name), ["lr"]);
  assert.deepEqual(chosenRows(section("Metrics"), true, "").map(({ name }) => name), ["val/loss"]);
});

test("metrics say how far they are from the baseline, and whether that is better", () => {
  const loss = section("Metrics").rows.find(({ name }) => name === "val/loss")!;
  assert.equal(loss.cells[0]!.delta, null);
  assert.deepEqual(loss.cells[1]!.delta, { by: -1, share: -0.5, better: true });
  assert.equal(deltaText(loss.cells[1]!.delta!), "−1, −50 %");
  assert.equal(deltaText({ by: 0.5, share: null, better: null }), "+0.5000");
});

test("a goal that was said decides which way is better; without one nothing does", () => {
  const up = { metrics: { "val/loss": { summary: "min", step_metric: null, goal: "maximize", hidden: false } } } as unknown as Partial<Run>;
  const said = section("Metrics", [{ run: run("a", {}, 2, up), files: [] }, { run: run("b", {}, 1, up), files: [] }]);
  // The rule names the minimum, which is alike.
  assert.equal(said.rows.find(({ name }) => name === "val/loss")!.differs, false);
  const odd = all.map(({ run: each, files: held }) => ({ run: { ...each, summary: { speed: metric(each.id === "one" ? 1 : 2, 0) } }, files: held }));
  assert.equal(section("Metrics", odd).rows[0]!.cells[1]!.delta!.better, null);
});

test("a name tells by whole words which way is better", () => {
  const better = (name: string) => {
    const [a, b] = [1, 2].map((last) => ({ run: { ...run("a", {}, 2), summary: { [name]: metric(last, 0) } }, files: [] }));
    return section("Metrics", [a!, b!]).rows[0]!.cells[1]!.delta!.better;
  };
  assert.deepEqual(["access_time", "accum_steps", "scores_seen", "glossary"].map(better), [null, null, null, null]);
  assert.deepEqual(["val/top_acc", "valLoss", "train/loss", "f1-score"].map(better), [true, false, false, true]);
});

test("what is no number has no distance", () => {
  const nan = section("Metrics", [{ run: run("a", {}, 2), files: [] }, { run: run("b", {}, "NaN"), files: [] }]).rows.find(({ name }) => name === "val/loss")!;
  assert.deepEqual([nan.cells[1]!.text, nan.cells[1]!.delta, nan.differs], ["NaN", null, true]);
});

test("environment, code and files are sections of their own", () => {
  assert.deepEqual([...environmentOf(all[1]!.run)], [["host", "a"], ["memory", "64 GB"], ["gpus", "A100"], ["$OMP", "4"]]);
  assert.deepEqual(chosenRows(section("Code"), true, "").map(({ name, cells }) => [name, ...cells.map(({ text }) => text)]), [["diff.patch", "", "abababababab, 1.2 KB"]]);
  assert.deepEqual(section("Files").rows.map(({ name }) => name), ["diff.patch"]);
});

test("the table is copied as CSV, Markdown and LaTeX, and turned", () => {
  const grid = asGrid(all.map(({ run: each }) => each), [{ title: "x", rows: [{ name: "a_b|c", differs: true, cells: [{ text: "−1", delta: null }, { text: "50 %", delta: null }] }] }]);
  assert.deepEqual(transposed(grid), [["", "a_b|c"], ["one", "−1"], ["two", "50 %"]]);
  assert.equal(toMarkdown(grid), "|  | one | two |\n|---|---:|---:|\n| a_b\\|c | −1 | 50 % |\n");
  assert.equal(toLatex(grid), "\\begin{tabular}{lrr}\n\\hline\n & one & two \\\\\n\\hline\na\\_b|c & $-$1 & 50 \\% \\\\\n\\hline\n\\end{tabular}\n");
  assert.equal(toCSV(grid[0]!, grid.slice(1)), ",one,two\r\na_b|c,−1,50 %\r\n");
});
