import assert from "node:assert/strict";
import test from "node:test";
import type { Json, Run } from "../../src/api/types";
import { cellText, configNames, defaultColumns, metricNames, named, sections } from "../../src/store/columns";
import { MOST_DRAWN, toDraw } from "../../src/store/drawn";

function run(name: string, config: { [key: string]: Json }, loss?: number | "NaN", created = 0): Run {
  const summary = loss === undefined ? {} : {
    "val/loss": {
      last: loss, last_step: 9, last_at: 0, min: 0.1, min_step: 3, max: 2, max_step: 0, mean: 1, count: 10, nan_count: 0,
    },
    note: { value: "text", last_step: 1 },
  };
  return { id: name, name, config, summary, created_at: created, started_at: null, ended_at: null } as unknown as Run;
}

const runs = [
  run("run-10", { lr: 0.1, seed: 1, optimizer: { name: "adam" } }, 0.5, 1),
  run("run-2", { lr: 0.01, seed: 1, optimizer: { name: "sgd" } }, 0.3, 2),
  run("run-1", { lr: 0.01, seed: 1 }, undefined, 3),
  run("run-3", { lr: 0.02, seed: 1, optimizer: { name: "adam" } }, "NaN", 4),
];

test("only configuration that differs, or that some lack, is a column by itself", () => {
  assert.deepEqual(configNames(runs), { all: ["lr", "seed", "optimizer.name"], varying: ["lr", "optimizer.name"] });
});

test("what one run alone was given does not push away what tells the others apart", () => {
  const own = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`layer_${i}`, i]));
  const many = [run("odd", { ...own, lr: 0.5, arch: "vit" }), ...runs.map((each) => ({ ...each, config: { ...each.config, arch: "cnn" } }))];
  assert.deepEqual(defaultColumns(many).flatMap(({ kind, name }) => (kind === "config" ? [name] : [])).slice(0, 4),
    ["lr", "arch", "optimizer.name", "seed"]);
});

test("text is no metric", () => {
  assert.deepEqual(metricNames(runs), ["val/loss"]);
});

test("the table chooses what was validated before what was trained on, and the machine's metrics last", () => {
  const entry = runs[0]!.summary["val/loss"]!;
  const many = run("a", { lr: 1 });
  many.summary = Object.fromEntries(["gpu/util", "train/loss", "validate_all", "val/acc"].map((name) => [name, entry]));
  assert.deepEqual(defaultColumns([many]).filter(({ kind }) => kind === "metric").map(({ name }) => name),
    ["val/acc", "train/loss", "validate_all", "gpu/util"]);
});

test("a metric's cell follows the chosen aggregate", () => {
  const column = { kind: "metric", name: "val/loss" } as const;
  assert.deepEqual((["last", "min", "max"] as const).map((each) => cellText(runs[0]!, column, each)), ["0.5000", "0.1000", "2"]);
  assert.equal(cellText(runs[2]!, column, "last"), "");
});

test("a chart is found by a part of its name, in either case", () => {
  assert.deepEqual(named(["val/Loss", "train/loss", "acc"], " LOSS "), ["val/Loss", "train/loss"]);
  assert.deepEqual(named(["val/Loss", "acc"], ""), ["val/Loss", "acc"]);
});

test("charts are grouped by prefix: plain ones first, the machine's last", () => {
  const grouped = sections(["gpu/util", "loss", "train/loss", "val/acc", "val/loss", "/odd", "system/mem"]);
  assert.deepEqual(grouped.map(({ prefix, names }) => [prefix, names.length]),
    [["", 2], ["train", 1], ["val", 2], ["gpu", 1], ["system", 1]]);
});

test("no more runs are drawn than one request may ask for, the first of the table", () => {
  const many = Array.from({ length: 1500 }, (_, i) => run(`run-${i}`, {}));
  const byId = new Map(many.map((each) => [each.id, each]));
  const all = toDraw([...many].reverse(), byId, new Set(byId.keys()));
  assert.deepEqual([all.drawn.length, all.wanted], [MOST_DRAWN, 1500]);
  assert.deepEqual([all.drawn[0]!.id, all.drawn[999]!.id], ["run-1499", "run-500"]);
});

test("runs that are switched on and not in the filtered table are drawn after it", () => {
  const byId = new Map(runs.map((each) => [each.id, each]));
  const { drawn, wanted } = toDraw([runs[2]!, runs[0]!], byId, new Set(["run-2", "run-10", "gone"]));
  assert.deepEqual(drawn.map(({ id }) => id), ["run-10", "run-2"]);
  assert.equal(wanted, 2);
});
