// Means of groups of series, with their bands. Expected numbers: NumPy 2 (std with ddof=1, percentile) and SciPy's t.ppf.
import assert from "node:assert/strict";
import test from "node:test";
import { byStep } from "../../src/charts/axis";
import { Means, meanSeries, middleOf, t95 } from "../../src/charts/mean";
import { Series } from "../../src/charts/series";
import { groupName, parseGroup, reachOf, spreadText, statesText } from "../../src/store/groups";

function series(points: readonly (readonly [number, number])[]): Series {
  const columns = new Map([
    ["steps", Float64Array.from(points, ([step]) => step)], ["times", Float64Array.from(points, ([step]) => step * 1e6)],
    ["values", Float64Array.from(points, ([, value]) => value)],
  ]);
  return new Series({ run: "r", key: "k", count: points.length, kind: "raw", n: points.length, columns });
}

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test("spreads are those of NumPy and SciPy", () => {
  const values = [1, 2, 4, 8];
  near(middleOf(values, "sd").high - 3.75, 3.095695936834452);
  near(middleOf(values, "se").high - 3.75, 1.547847968417226);
  assert.ok(Math.abs(middleOf(values, "ci95").high - 3.75 - 4.925935) < 1e-3);
  assert.deepEqual(middleOf(values, "iqr"), { middle: 3, low: 1.75, high: 5 });
  assert.deepEqual(middleOf([7], "ci95"), { middle: 7, low: 7, high: 7 });
  assert.ok(Math.abs(t95(40) - 2.021075) < 1e-4);
  assert.ok(Math.abs(t95(1000) - 1.962339) < 2e-5);
});

test("between its points a member goes straight; outside of them it is not counted", () => {
  const mean = meanSeries([series([[0, 0], [10, 10]]), series([[0, 2], [5, 2], [20, 2]])], byStep, "sd");
  assert.deepEqual(Array.from({ length: mean.length }, (_, i) => [mean.step(i), mean.mean(i)]), [[0, 1], [5, 3.5], [10, 6], [20, 2]]);
  near(mean.high(1) - mean.mean(1), Math.SQRT2 * 1.5);
  assert.equal(mean.low(3), mean.high(3));
});

test("over an x that goes down, the mean goes from the least to the greatest", () => {
  const falling = series([[0, 1], [1, 2], [2, 4]]);
  const mean = meanSeries([falling, falling], (held, i) => 10 - held.step(i), "sd");
  assert.deepEqual(Array.from({ length: mean.length }, (_, i) => [mean.step(i), mean.mean(i)]), [[8, 4], [9, 2], [10, 1]]);
});

test("what is no number is not averaged, and of two points at one step the last counts", () => {
  const mean = meanSeries([series([[0, 1], [1, NaN], [2, 3], [2, 5]]), series([[0, 1], [1, 1], [2, 1]])], byStep, "sd");
  assert.deepEqual(Array.from({ length: mean.length }, (_, i) => mean.mean(i)), [1, 2, 3]);
});

test("many places become a few hundred", () => {
  const long = series(Array.from({ length: 5000 }, (_, i) => [i, i] as const));
  const mean = meanSeries([long, long], byStep, "se");
  assert.equal(mean.length, 400);
  assert.deepEqual([mean.step(0), mean.step(399), mean.mean(399)], [0, 4999, 4999]);
  assert.equal(meanSeries([], byStep, "sd").length, 0);
});

test("a mean is made anew only when a member changed", () => {
  const means = new Means();
  const one = series([[0, 1]]);
  const first = means.get("g", [one], byStep, "sd");
  assert.equal(means.get("g", [one], byStep, "sd"), first);
  one.insert(1, 1e6, 3);
  assert.notEqual(means.get("g", [one], byStep, "sd"), first);
});

test("a group's spread in words; one value has none, no value is nothing", () => {
  const spread = { count: 4, mean: 3.75, sd: 3.0957, se: 1.5478, ci95: 4.9259, min: 1, q1: 1.75, median: 3, q3: 5, max: 8 };
  assert.equal(spreadText(spread, "sd"), "3.750 ± 3.1");
  assert.equal(spreadText(spread, "iqr"), "3 [1.750, 5]");
  assert.equal(spreadText({ ...spread, count: 1, sd: null }, "sd"), "3.750");
  assert.equal(spreadText({ ...spread, count: 0, mean: null }, "sd"), "");
  assert.equal(spreadText(undefined, "sd"), "");
  assert.deepEqual(reachOf(spread, "iqr"), { middle: 3, low: 1.75, high: 5 });
});

test("groups have names, and the address holds what they are made by", () => {
  assert.equal(groupName(["config.lr", "tag"], [0.1, null]), "lr = 0.1, tag = none");
  assert.deepEqual(parseGroup("lr, seed,,lr"), ["lr", "seed"]);
  assert.deepEqual(parseGroup(null), []);
  assert.equal(statesText({ finished: 3, running: 1, timedOut: 2 }), "1 running, 2 timed out, 3 finished");
});
