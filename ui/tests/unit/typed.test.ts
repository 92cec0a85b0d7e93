import assert from "node:assert/strict";
import test from "node:test";
import { inWords, parseLoose, typedOf } from "../../src/api/typed";
import type { Json } from "../../src/api/types";

const SHA = "ab".repeat(32);
const file = (type: string, more: { [key: string]: Json } = {}): Json =>
  ({ _type: type, blob: SHA, size: 10, media_type: "image/png", ...more });

test("histograms need one edge more than counts", () => {
  assert.deepEqual(typedOf({ _type: "histogram", edges: [0, 1, 2], counts: [3, 4] }), { kind: "histogram", edges: [0, 1, 2], counts: [3, 4], caption: null });
  assert.equal(typedOf({ _type: "histogram", edges: [0, 1], counts: [3, 4] }), null);
  assert.equal(typedOf({ _type: "histogram", edges: "0 1", counts: [3] }), null);
});

test("tables lie in the row, or in a blob", () => {
  const here = typedOf({ _type: "table", columns: ["a", 2], rows: [[1, "x"], [2, null]] });
  assert.deepEqual(here, { kind: "table", columns: ["a", "2"], rows: [[1, "x"], [2, null]], blob: null, count: 2, caption: null });
  const there = typedOf({ _type: "table", columns: ["a"], rows: 5000, blob: SHA, size: 99, media_type: "application/json" });
  assert.ok(there?.kind === "table" && there.rows === null && there.blob?.blob === SHA && there.count === 5000);
  assert.equal(typedOf({ _type: "table", columns: ["a"], rows: 3 }), null);
});

test("things of one kind in a list are shown together, of several kinds not at all", () => {
  const two = typedOf([file("image", { caption: "one", width: 28 }), file("image")]);
  assert.ok(two?.kind === "image");
  assert.deepEqual(two.files.map(({ caption, width, name }) => [caption, width, name]), [["one", 28, null], [null, null, null]]);
  assert.equal(typedOf([file("image"), file("audio")]), null);
  assert.equal(typedOf([file("image"), 3]), null);
});

test("a blob must be named by a SHA-256: nothing else goes into an address", () => {
  assert.equal(typedOf({ _type: "image", blob: "../../etc/passwd" }), null);
  assert.equal(typedOf({ _type: "image" }), null);
});

test("lists of numbers are vectors, equally long ones of them matrices", () => {
  assert.deepEqual(typedOf([1, "NaN", -2]), { kind: "vector", values: [1, NaN, -2] });
  assert.deepEqual(typedOf([[1, 2], [3, 4]]), { kind: "matrix", rows: [[1, 2], [3, 4]] });
  for (const plain of [[], [[1, 2], [3]], ["a"], "text", true, null, { a: 1 }, { _type: "molecule" }] as Json[]) assert.equal(typedOf(plain), null);
});

test("values are told in words", () => {
  const words = [typedOf([1])!, typedOf([[1, 2, 3]])!, typedOf(file("image"))!, typedOf([file("audio"), file("audio")])!].map(inWords);
  assert.deepEqual(words, ["vector of 1 number", "matrix of 1 × 3", "1 image", "2 recordings"]);
});

test("bare NaN and infinities are read as the API's words, those inside strings stay", () => {
  assert.deepEqual(parseLoose('{"a": NaN, "b": [-Infinity, Infinity, 1], "c": "NaN, \\" Infinity", "NaN": 2}'),
    { a: "NaN", b: ["-Infinity", "Infinity", 1], c: 'NaN, " Infinity', NaN: 2 });
  assert.throws(() => parseLoose('{"a": nil}'));
});
