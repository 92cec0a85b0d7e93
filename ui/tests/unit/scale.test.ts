import assert from "node:assert/strict";
import test from "node:test";
import { padded } from "../../src/charts/frame";
import { clockTicks, linear, logarithmic, niceStep, ticks, timeTicks, zoomBetween } from "../../src/charts/scale";

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

/** The number after `value`. */
const next = (value: number) => value + Math.abs(value) * Number.EPSILON;

test("values that differ in the last digit alone are drawn like equal ones", () => {
  for (const value of [0.3, -0.3, 1, 1e-300, 1e300, 2 ** 60]) {
    const scale = linear(padded(value, next(value), false), [0, 100]);
    assert.ok(scale.domain[1] - scale.domain[0] > Math.abs(value) * 0.05, `${value}`);
    const count = ticks(scale, 5).length;
    assert.ok(count >= 2 && count <= 12, `${count} ticks at ${value}`);
  }
});

test("a log axis of values that differ in the last digit alone has room, too", () => {
  for (const value of [0.3, 1, 1e-300, 1e300]) {
    const scale = logarithmic(padded(value, next(value), true), [0, 100]);
    assert.ok(scale.domain[1] / scale.domain[0] > 1.5, `${value}`);
    const count = ticks(scale, 5).length;
    assert.ok(count >= 2 && count <= 12, `${count} ticks at ${value}`);
  }
});

test("an axis to the end of all numbers has an end", () => {
  const most = Number.MAX_VALUE;
  const count = ticks(logarithmic(padded(1, most, true), [0, 1]), 5).length;
  assert.ok(count >= 3 && count <= 8, `${count} ticks`);
  for (const domain of [[0, most], [-most, most], [-Infinity, Infinity], [0, Number.MIN_VALUE], [NaN, NaN]] as const) {
    assert.ok(ticks(linear(domain, [0, 1]), 5).length <= 20);
    assert.ok(timeTicks(linear(domain, [0, 1]), 5).length <= 20);
    assert.ok(clockTicks(linear(domain, [0, 1]), 5).length <= 20);
  }
});

test("times far from 0 have as few ticks as near ones", () => {
  for (const time of [1.7e9, 1e18]) {
    const scale = linear([time, next(time)], [0, 1]);
    assert.ok(timeTicks(scale, 5).length <= 20);
    assert.ok(clockTicks(scale, 5).length <= 20);
  }
});

test("zooming on and on ends where numbers can no longer be told apart", () => {
  for (const at of [0.3, 1000, 1.7e9]) {
    let zoom = { from: at, to: at * 2 };
    for (let i = 0; i < 200; i++) {
      const scale = linear([zoom.from, zoom.to], [0, 100]);
      assert.deepEqual([...scale.domain], [zoom.from, zoom.to]);
      assert.ok(ticks(scale, 5).length <= 12);
      zoom = zoomBetween(scale.invert(56), scale.invert(50));
    }
    assert.ok(zoom.from < zoom.to && zoom.to - zoom.from < at * 1e-10, `${zoom.from} to ${zoom.to}`);
  }
});
