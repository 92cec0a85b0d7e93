import assert from "node:assert/strict";
import test from "node:test";
import { linear, logarithmic, niceStep, ticks, timeTicks } from "../../src/charts/scale";

test("a linear scale maps its ends and inverts", () => {
  const scale = linear([2, 12], [100, 0]);
  assert.equal(scale.at(2), 100);
  assert.equal(scale.at(12), 0);
  assert.equal(scale.invert(scale.at(7.5)), 7.5);
});

test("a domain without width is widened around its value", () => {
  for (const value of [0, 3, -3]) {
    const scale = linear([value, value], [0, 10]);
    assert.ok(Math.abs(scale.at(value) - 5) < 1e-9);
    assert.ok(scale.domain[0] < value && value < scale.domain[1]);
  }
});

test("a logarithmic scale puts equal ratios at equal distances", () => {
  const scale = logarithmic([0.001, 1000], [0, 600]);
  assert.ok(Math.abs(scale.at(1) - 300) < 1e-9);
  assert.ok(Math.abs(scale.at(10) - scale.at(1) - (scale.at(100) - scale.at(10))) < 1e-9);
  assert.ok(Math.abs(scale.invert(scale.at(42)) - 42) < 1e-9);
});

test("steps are 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([0.9, 10, 37, 70, 1234].map((span) => niceStep(span, 5)), [0.2, 2, 5, 10, 200]);
});

test("ticks lie inside the domain, with labels of equal precision", () => {
  const all = ticks(linear([0.07, 0.53], [0, 1]), 5);
  assert.deepEqual(all.map(({ label }) => label), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
  assert.deepEqual(ticks(linear([0, 2400], [0, 1]), 5).map(({ label }) => label), ["0", "500", "1.0k", "1.5k", "2.0k"]);
});

test("ticks of steps are whole numbers however near the zoom", () => {
  const all = ticks(linear([3, 5.2], [0, 1]), 8, true);
  assert.deepEqual(all.map(({ value }) => value), [3, 4, 5]);
});

test("a log axis over many decades has a tick a decade, thinned to fit", () => {
  const all = ticks(logarithmic([1e-6, 1e3], [0, 1]), 5);
  assert.ok(all.length <= 5 && all.length >= 3, `${all.length} ticks`);
  for (const { value } of all) assert.ok(Math.abs(Math.log10(value) % 1) < 1e-9);
});

test("a log axis within a decade has ticks too", () => {
  const all = ticks(logarithmic([0.3, 2], [0, 1]), 5);
  assert.ok(all.length >= 3);
  for (const { value } of all) assert.ok(value >= 0.3 && value <= 2);
});

test("time ticks stand on units people count in", () => {
  assert.deepEqual(timeTicks(linear([0, 95], [0, 1]), 5).map(({ label }) => label), ["0", "30 s", "1 m", "1:30"]);
  assert.deepEqual(timeTicks(linear([0, 8000], [0, 1]), 5).map(({ label }) => label), ["0", "30 m", "1 h", "1:30", "2 h"]);
});
