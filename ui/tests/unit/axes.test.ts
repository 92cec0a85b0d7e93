import assert from "node:assert/strict";
import test from "node:test";
import { axisOf, continuous, held } from "../../src/charts/axes";

test("few kinds stand at equal distances, numbers in order", () => {
  const axis = axisOf("width", [128, 32, 64, 32]);
  assert.deepEqual([32, 64, 128].map((value) => axis.at(value)), [0, 0.5, 1]);
  assert.deepEqual(axis.ticks.map(({ label }) => label), ["32", "64", "128"]);
  assert.equal(axis.at(48), null);
  assert.equal(axis.at(undefined), null);
});

test("words keep the order in which they appear", () => {
  const axis = axisOf("optimizer", ["sgd", "adam", "sgd", "lion"]);
  assert.deepEqual(["sgd", "adam", "lion"].map((value) => axis.at(value)), [0, 0.5, 1]);
});

test("one kind alone stands in the middle", () => {
  assert.equal(axisOf("seed", [7, 7]).at(7), 0.5);
});

test("many numbers make a scale, logarithmic over decades or when it was asked for", () => {
  const near = Array.from({ length: 20 }, (_, i) => 1 + i / 20);
  const far = Array.from({ length: 20 }, (_, i) => 10 ** (-i / 4));
  assert.equal(axisOf("x", near).note, "");
  assert.equal(axisOf("x", near, "log_uniform").note, "log");
  const axis = axisOf("lr", far);
  assert.equal(axis.note, "log");
  assert.ok(Math.abs(axis.at(1)! - 1) < 1e-9);
  assert.ok(Math.abs(axis.at(10 ** -2.375)! - 0.5) < 1e-9);
});

test("what is no number has no place on an axis of numbers", () => {
  const axis = continuous("loss", [0.1, 100]);
  assert.deepEqual([NaN, Infinity, -1, 0, "x"].map((value) => axis.at(value as never)), [null, null, null, null, null]);
});

test("a trial is held when every brush holds it", () => {
  const brushes = new Map([[0, { from: 0, to: 0.5 }], [2, { from: 0.5, to: 1 }]]);
  assert.equal(held([0.2, 0.9, 0.7], brushes), true);
  assert.equal(held([0.2, 0.9, 0.4], brushes), false);
  assert.equal(held([0.2, 0.9, null], brushes), false);
  assert.equal(held([null, null, null], new Map()), true);
});
