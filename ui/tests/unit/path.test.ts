import assert from "node:assert/strict";
import test from "node:test";
import { byStep, byTime } from "../../src/charts/axis";
import { Smoother, columnAt, columns, nearest, quantile } from "../../src/charts/path";
import { Series } from "../../src/charts/series";

function series(values: number[], steps = values.map((_, i) => i)): Series {
  const made = new Series();
  values.forEach((value, i) => made.insert(steps[i]!, steps[i]! * 1e6, value));
  return made;
}

const all = [-Infinity, Infinity] as const;

test("no extreme is lost when many points share a pixel", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 50));
  values[4321] = 99;
  values[8765] = -99;
  const folded = columns(series(values), byStep, all, (x) => x / 50, 0, Number.isFinite);
  assert.equal(folded.length, 200);
  assert.equal(Math.max(...folded.map(({ high }) => high)), 99);
  assert.equal(Math.min(...folded.map(({ low }) => low)), -99);
  assert.equal(folded.reduce((sum, { count }) => sum + count, 0), 10_000);
});

test("a column keeps the first and the last value, so that the line enters and leaves where it should", () => {
  const folded = columns(series([5, 1, 9, 3]), byStep, all, () => 0, 0, Number.isFinite);
  assert.equal(folded.length, 1);
  const { first, last, low, high, sum, count } = folded[0]!;
  assert.deepEqual({ first, last, low, high, sum, count }, { first: 5, last: 3, low: 1, high: 9, sum: 18, count: 4 });
});

test("what is no number is a gap, not a zero", () => {
  const folded = columns(series([1, NaN, 3, Infinity, 5]), byStep, all, (x) => x, 0, Number.isFinite);
  assert.deepEqual(folded.map(({ x, last, gap }) => [x, last, gap]), [[0, 1, false], [2, 3, true], [4, 5, true]]);
});

test("a gap inside a pixel column splits it", () => {
  const folded = columns(series([1, NaN, 3]), byStep, all, () => 7, 0, Number.isFinite);
  assert.deepEqual(folded.map(({ gap }) => gap), [false, true]);
});

test("the nearest entries outside the window are kept, to carry the line over its edges", () => {
  const folded = columns(series([0, 1, 2, 3, 4, 5]), byStep, [2.5, 3.5], (x) => x, 0, Number.isFinite);
  assert.deepEqual(folded.map(({ x }) => x), [2, 3, 4]);
});

test("zooming does not change the smoothed line", () => {
  const noisy = series(Array.from({ length: 400 }, (_, i) => Math.sin(i * 12.9898) * 43758.5453 % 1));
  const whole = columns(noisy, byStep, all, (x) => x, 0.9, Number.isFinite);
  const part = columns(noisy, byStep, [200, 210], (x) => x, 0.9, Number.isFinite);
  for (const { x, smooth } of part.filter((column) => column.x >= 200)) assert.equal(smooth, whole[x]!.smooth);
});

test("the average begins at the first value and converges to a constant", () => {
  const smoother = new Smoother(0.99);
  assert.ok(Math.abs(smoother.next(4, 1) - 4) < 1e-12);
  for (let i = 0; i < 50; i++) assert.ok(Math.abs(smoother.next(4, 1) - 4) < 1e-9);
});

test("a bucket of n equal points moves the average as n points do", () => {
  const [one, many] = [new Smoother(0.9), new Smoother(0.9)];
  one.next(0, 1);
  many.next(0, 1);
  let last = 0;
  for (let i = 0; i < 20; i++) last = one.next(1, 1);
  assert.ok(Math.abs(many.next(1, 20) - last) < 1e-12);
});

test("the time axis counts from the series' own beginning", () => {
  const timed = series([1, 2], [10, 25]);
  assert.deepEqual([byTime(timed, 0), byTime(timed, 1)], [0, 15]);
});

test("nearest finds the closest entry and its ends", () => {
  const some = series([0, 0, 0], [10, 20, 40]);
  assert.deepEqual([-5, 14, 16, 29, 31, 99].map((x) => nearest(some, byStep, x)), [0, 0, 1, 1, 2, 2]);
  assert.equal(nearest(new Series(), byStep, 3), -1);
});

test("columnAt finds the closest column", () => {
  const folded = columns(series([1, 2, 3], [0, 10, 30]), byStep, all, (x) => x, 0, Number.isFinite);
  assert.deepEqual([-9, 6, 19, 21].map((x) => columnAt(folded, x)!.x), [0, 10, 10, 30]);
  assert.equal(columnAt([], 3), undefined);
});

test("quantiles of a sample", () => {
  const sample = Array.from({ length: 101 }, (_, i) => 100 - i);
  assert.deepEqual([0, 0.02, 0.5, 1].map((share) => quantile(sample, share)), [0, 2, 50, 100]);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});
