import assert from "node:assert/strict";
import test from "node:test";
import type { MetricDefinition, MetricSummary, Run } from "../../src/api/types";
import { axisMetric, axisTicks, placeOn } from "../../src/charts/axis";
import { ChartBus } from "../../src/charts/bus";
import { linear } from "../../src/charts/scale";
import { aggregateOf, definitionOf, headlineOf, splitHidden, stepMetricOf } from "../../src/store/metrics";

const defined = (more: Partial<MetricDefinition>): MetricDefinition => ({ summary: null, step_metric: null, goal: null, hidden: false, ...more });
const run = (metrics: Record<string, MetricDefinition>) => ({ metrics }) as unknown as Run;

const one = run({
  "*": defined({ hidden: true }), "val/*": defined({ step_metric: "epoch", summary: "best" }),
  "val/acc*": defined({ goal: "maximize" }), "val/loss": defined({ summary: "none", goal: "minimize" }), epoch: defined({ step_metric: "epoch" }),
});

test("a definition of the name itself comes before patterns, the longest pattern before shorter ones", () => {
  assert.equal(definitionOf(one, "val/loss")!.summary, "none");
  assert.equal(definitionOf(one, "val/accuracy")!.goal, "maximize");
  assert.equal(definitionOf(one, "val/f1")!.step_metric, "epoch");
  assert.equal(definitionOf(one, "train/loss")!.hidden, true);
  assert.equal(definitionOf(run({}), "x"), null);
  assert.equal(definitionOf({} as Run, "x"), null);
});

test("the first run that defines a metric decides; no metric is drawn over itself", () => {
  const runs = [run({}), one];
  assert.equal(stepMetricOf(runs, "val/f1"), "epoch");
  assert.equal(stepMetricOf(runs, "epoch"), null);
  assert.equal(headlineOf(runs, "val/f1"), "best");
  assert.equal(headlineOf(runs, "val/loss"), "last");
  assert.deepEqual(splitHidden(runs, ["val/f1", "lr"]), { shown: ["val/f1"], hidden: ["lr"] });
});

test("the best follows the goal, and is nothing without one", () => {
  const entry = { last: 3, last_step: 9, min: 1, min_step: 4, max: 5, max_step: 2, mean: 2.5 } as MetricSummary;
  assert.deepEqual(aggregateOf(entry, "best", "minimize"), { value: 1, step: 4 });
  assert.deepEqual(aggregateOf(entry, "best", "maximize"), { value: 5, step: 2 });
  assert.equal(aggregateOf(entry, "best", null), null);
  assert.deepEqual(aggregateOf({ ...entry, best: 7, best_step: 8 }, "best", null), { value: 7, step: 8 });
  assert.deepEqual(aggregateOf(entry, "mean", null), { value: 2.5, step: null });
});

test("axes name their places", () => {
  assert.equal(axisMetric("metric:a/b"), "a/b");
  assert.equal(axisMetric("step"), null);
  assert.deepEqual([placeOn("step", 1200), placeOn("relative", 90), placeOn("metric:epoch", 1.5), placeOn("index", 7)],
    ["step 1,200", "after 1 m 30 s", "epoch 1.5", "index 7"]);
});

test("the clock's ticks stand at whole times of the reader's own clock, each label once", () => {
  const noon = new Date(2026, 10, 21, 12, 0, 0).getTime() / 1000;
  assert.deepEqual(axisTicks("time", linear([noon - 60, noon + 3 * 3600], [0, 1]), 4).map(({ label }) => label), ["12:00", "13:00", "14:00", "15:00"]);
  const days = axisTicks("time", linear([noon, noon + 5 * 86400], [0, 1]), 5).map(({ label }) => label);
  assert.deepEqual(days, ["22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"]);
  const short = axisTicks("time", linear([noon, noon + 2], [0, 1]), 8).map(({ label }) => label);
  assert.equal(new Set(short).size, short.length);
});

test("axes share the lit run, not the cursor and not the zoom", () => {
  const page = new ChartBus();
  const [steps, epochs] = [page.over("step"), page.over("metric:epoch")];
  assert.equal(page.over("step"), steps);
  let heard = 0;
  page.onCursor(() => heard++);
  steps.point(10, "a");
  assert.deepEqual([steps.cursor, steps.hot, epochs.cursor, epochs.hot, page.hot, heard], [10, "a", null, "a", "a", 1]);
  epochs.point(2, "b");
  assert.deepEqual([steps.cursor, steps.hot, epochs.cursor], [null, "b", 2]);
  page.point(null, "c");
  assert.deepEqual([steps.hot, epochs.hot, epochs.cursor], ["c", "c", null]);
  steps.setZoom({ from: 1, to: 2 });
  assert.deepEqual([page.zoomed, epochs.zoom], [true, null]);
  page.setZoom(null);
  assert.deepEqual([page.zoomed, steps.zoom], [false, null]);
});
