import assert from "node:assert/strict";
import test from "node:test";
import { Series } from "../../src/charts/series";

const columns = (all: Record<string, number[]>) =>
  new Map(Object.entries(all).map(([name, cells]) => [name, Float64Array.from(cells)]));

const raw = () => new Series({
  run: "r", key: "loss", count: 3, kind: "raw", n: 3,
  columns: columns({ steps: [0, 1, 2], times: [10, 20, 30], values: [0.5, NaN, 0.25] }),
});

const buckets = () => new Series({
  run: "r", key: "loss", count: 200, kind: "buckets", n: 2,
  columns: columns({
    steps: [0, 100], times: [0, 100], first: [1, 2], last: [1.5, 2.5], min: [0, 1], max: [9, 3], mean: [2, 2],
    counts: [100, 100], nan_counts: [0, 4],
  }),
});

const values = (series: Series) => Array.from({ length: series.length }, (_, i) => [series.step(i), series.last(i)]);

test("an answer is read with its gaps", () => {
  assert.deepEqual(values(raw()), [[0, 0.5], [1, NaN], [2, 0.25]]);
  assert.deepEqual([...raw().gaps], [1]);
  assert.deepEqual([...buckets().gaps], [100]);
});

test("points append, and grow far beyond the room they began with", () => {
  const series = raw();
  for (let step = 3; step < 5000; step++) series.insert(step, step * 10, step);
  assert.equal(series.length, 5000);
  assert.equal(series.last(4999), 4999);
  assert.equal(series.time(4999), 49990);
});

test("a point that history already held changes nothing", () => {
  const series = raw();
  series.insert(2, 30, 0.25);
  series.insert(1, 20, NaN);
  assert.equal(series.length, 3);
});

test("a point that comes late finds its place", () => {
  const series = new Series();
  for (const step of [1, 5, 3, 4, 2]) series.insert(step, step, step * 10);
  assert.deepEqual(values(series), [[1, 10], [2, 20], [3, 30], [4, 40], [5, 50]]);
});

test("two values at one step are both kept", () => {
  const series = raw();
  series.insert(2, 31, 0.75);
  assert.equal(series.length, 4);
  assert.deepEqual([series.last(2), series.last(3)].sort(), [0.25, 0.75]);
});

test("buckets go on with points, each an entry of its own", () => {
  const series = buckets();
  series.insert(200, 200, 7);
  assert.equal(series.length, 3);
  assert.deepEqual([series.first(2), series.low(2), series.high(2), series.mean(2), series.weight(2)], [7, 7, 7, 7, 1]);
});

test("a point inside a bucket's reach only widens its extremes, however often it comes", () => {
  const series = buckets();
  for (let i = 0; i < 3; i++) series.insert(50, 50, -4);
  assert.equal(series.length, 2);
  assert.deepEqual([series.low(0), series.high(0), series.weight(0)], [-4, 9, 100]);
});

test("each change moves the version", () => {
  const series = raw();
  const before = series.version;
  series.insert(9, 9, 9);
  assert.notEqual(series.version, before);
});

test("the numbers of an answer are used where they lie", () => {
  const cells = columns({ steps: [0, 1], times: [0, 1], values: [3, 4] });
  const series = new Series({ run: "r", key: "loss", count: 2, kind: "raw", n: 2, columns: cells });
  cells.get("values")![1] = 7;
  assert.equal(series.last(1), 7);
});

test("a metric as the x axis sorts the entries, and leaves those out that lack it", () => {
  const series = new Series({
    run: "r", key: "loss", count: 5, kind: "raw", n: 5,
    columns: columns({ steps: [0, 1, 2, 3, 4], times: [0, 1, 2, 3, 4], values: [5, 4, 3, 2, 1], x: [2, NaN, 1, 1, 3] }),
  });
  assert.equal(series.length, 4);
  assert.deepEqual([0, 1, 2, 3].map((i) => [series.x(i), series.step(i), series.last(i)]), [[1, 2, 3], [1, 3, 2], [2, 0, 5], [3, 4, 1]]);
  assert.equal(raw().x(2), 2);
});
