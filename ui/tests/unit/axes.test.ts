import assert from "node:assert/strict";
import test from "node:test";
import { axisOf, brushAfter, continuous, held, moved, parameterAxis, readAxes, turned, writeAxes } from "../../src/charts/axes";

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
  const on = (...heights: (number | null)[]) => (axis: number) => heights[axis];
  assert.equal(held(on(0.2, 0.9, 0.7), brushes), true);
  assert.equal(held(on(0.2, 0.9, 0.4), brushes), false);
  assert.equal(held(on(0.2, 0.9, null), brushes), false);
  assert.equal(held(on(0.2, 0.9, NaN), brushes), false);
  assert.equal(held(on(null, null, null), new Map()), true);
});

test("a defined range stands still while trials come", () => {
  const lr = { name: "lr", kind: "real", min: 1e-5, max: 0.1, distribution: "log_uniform_values" };
  for (const values of [[], [0.01], [1e-4, 2e-4, 3e-4]]) {
    const axis = parameterAxis(lr, values);
    assert.equal(axis.note, "log");
    assert.ok(Math.abs(axis.at(1e-3)! - 0.5) < 1e-9);
  }
});

test("ends that are exponents are taken as such", () => {
  const axis = parameterAxis({ name: "lr", kind: "real", min: -2, max: 2, distribution: "log_uniform" }, []);
  assert.ok(Math.abs(axis.at(1)! - 0.5) < 1e-9);
  assert.ok(Math.abs(axis.at(Math.exp(2))! - 1) < 1e-9);
});

test("listed words keep the order of the file, and one that is tried but not listed has a place, too", () => {
  const axis = parameterAxis({ name: "optimizer", kind: "categorical", values: ["lion", "adam"] }, ["adam", "sgd"]);
  assert.deepEqual(["lion", "adam", "sgd"].map((value) => axis.at(value)), [0, 0.5, 1]);
});

test("an axis by rank gives each value the same room", () => {
  const axis = parameterAxis({ name: "width", kind: "real", min: 0, max: 1000 }, [1, 1, 2, 1000], "rank");
  assert.deepEqual([1, 2, 1000].map((value) => axis.at(value)), [0, 0.5, 1]);
  assert.equal(axis.words(1), "1000");
});

test("what is asked for goes before what numbers suggest", () => {
  const numbers = Array.from({ length: 20 }, (_, i) => 10 ** (-i / 4));
  assert.equal(axisOf("lr", numbers, "", "linear").note, "");
  assert.equal(continuous("loss", [1, 2], false, "log").note, "log");
  assert.equal(continuous("loss", [-1, 2], false, "log").note, "");
});

test("a turned axis has its upper end below, and heights keep their units", () => {
  const axis = parameterAxis({ name: "dropout", kind: "real", min: 0, max: 0.5 }, []);
  const over = turned(axis);
  assert.equal(over.at(0), 1);
  assert.ok(Math.abs(over.at(0.1)! - 0.8) < 1e-9);
  assert.ok(Math.abs(over.height(axis.unit(0.3)) - 0.7) < 1e-9);
  assert.equal(over.words(1), axis.words(0));
});

test("keys make a brush, move it, widen it and take it away", () => {
  const first = brushAfter(null, "ArrowUp", false)!;
  assert.deepEqual(first, { from: 0, to: 0.25 });
  assert.deepEqual(brushAfter(null, "ArrowDown", false), { from: 0.75, to: 1 });
  const up = brushAfter(first, "ArrowUp", false)!;
  assert.ok(Math.abs(up.from - 0.05) < 1e-9 && Math.abs(up.to - 0.3) < 1e-9);
  assert.ok(Math.abs(brushAfter(first, "ArrowUp", true)!.to - 0.3) < 1e-9);
  assert.deepEqual(brushAfter(first, "ArrowDown", false), first); // it stands at the end
  assert.equal(brushAfter(first, "Escape", false), null);
  assert.equal(brushAfter(null, "Escape", false), undefined);
  assert.equal(brushAfter(first, "j", false), undefined);
});

test("an axis moves to a place, and no further than the ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], "a", 1), ["b", "a", "c"]);
  assert.deepEqual(moved(["a", "b", "c"], "a", 9), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], "c", -1), ["c", "a", "b"]);
});

test("axes come back from the address as they were written, whatever their names", () => {
  const ids = ["lr", "a,b:c", "@0"];
  assert.equal(writeAxes(readAxes(null, ids), ids), null);
  const choices = [
    { id: "a,b:c", scale: "rank" as const, turned: true, hidden: false }, { id: "@0", scale: null, turned: false, hidden: false },
    { id: "lr", scale: "log" as const, turned: false, hidden: true },
  ];
  assert.deepEqual(readAxes(writeAxes(choices, ids), ids), choices);
  // An address of another time: what is gone is passed over, what is new follows.
  assert.deepEqual(readAxes("gone,%ZZ,@0", ids).map(({ id }) => id), ["@0", "lr", "a,b:c"]);
});
