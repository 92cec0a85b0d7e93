import assert from "node:assert/strict";
import test from "node:test";
import { describe, gridOf, heatOf, quantileOf, spreadOver } from "../../src/charts/bins";

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
const spread = (edges: number[], counts: number[], low: number, high: number, bins: number) => {
  const into = new Float64Array(bins);
  spreadOver({ edges, counts }, low, high, bins, into, 0);
  return [...into];
};

test("what a histogram says of its values", () => {
  const { total, low, high, mean, median } = describe({ edges: [0, 1, 2, 4, 8], counts: [0, 2, 2, 0] });
  assert.deepEqual([total, low, high], [4, 1, 4]);
  near(mean, (2 * 1.5 + 2 * 3) / 4);
  near(median, 2);
  assert.equal(describe({ edges: [0, 1], counts: [0] }).total, 0);
  near(quantileOf({ edges: [0, 10], counts: [5] }, 0.25), 2.5);
});

test("bins spread over others keep every count", () => {
  assert.deepEqual(spread([0, 1, 2, 3, 4], [1, 2, 3, 4], 0, 4, 2), [3, 7]);
  assert.deepEqual(spread([0, 2, 4], [4, 8], 0, 4, 4), [2, 2, 4, 4]);
  const odd = spread([0.1, 0.35, 1.7, 2.9], [10, 20, 30], 0, 3, 7);
  near(odd.reduce((a, b) => a + b, 0), 60);
});

test("a bin without width counts where it lies, also at the upper end", () => {
  assert.deepEqual(spread([1, 1], [5], 0, 4, 4), [0, 5, 0, 0]);
  assert.deepEqual(spread([4, 4], [5], 0, 4, 4), [0, 0, 0, 5]);
});

test("edges that are no numbers are left out", () => {
  assert.deepEqual(spread([-Infinity, 0, 1], [7, 1], 0, 1, 1), [1]);
});

test("each step is a column, scaled by its own fullest bin", () => {
  const grid = heatOf([
    { step: 0, histogram: { edges: [0, 1, 2], counts: [1, 2] } },
    { step: 10, histogram: { edges: [0, 1, 2], counts: [400, 100] } },
  ], 100, 2)!;
  assert.deepEqual([...grid.cells], [0.5, 1, 1, 0.25]);
  assert.deepEqual(grid.xs, [-5, 5, 15]);
  assert.deepEqual(grid.ys, [0, 1, 2]);
});

test("too many steps share columns, and none is lost", () => {
  const steps = Array.from({ length: 1000 }, (_, step) => ({ step, histogram: { edges: [0, 1, 2], counts: step === 777 ? [0, 9] : [1, 0] } }));
  const grid = heatOf(steps, 100, 2)!;
  assert.equal(grid.xs.length, 101);
  assert.ok(grid.cells[77 * 2 + 1]! > 0);
});

test("histograms of one value, and of none", () => {
  const grid = heatOf([{ step: 3, histogram: { edges: [2, 2], counts: [8] } }])!;
  assert.ok(grid.ys[0]! < 2 && grid.ys[grid.ys.length - 1]! > 2);
  assert.equal(grid.cells.filter((cell) => cell === 1).length, 1);
  assert.equal(heatOf([{ step: 0, histogram: { edges: [0, 1], counts: [0] } }]), null);
  assert.equal(heatOf([]), null);
});

test("a matrix keeps its rows and scales its numbers", () => {
  const { grid, low, high } = gridOf([[0, 10, NaN], [5, 2.5, 10]]);
  assert.deepEqual([low, high], [0, 10]);
  assert.deepEqual([...grid.cells], [0, 0.5, 1, 0.25, NaN, 1]);
  assert.deepEqual([grid.xs, grid.ys], [[0, 1, 2, 3], [0, 1, 2]]);
});
