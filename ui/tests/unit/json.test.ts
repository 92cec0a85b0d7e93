// JSON as it is shown.
import assert from "node:assert/strict";
import test from "node:test";
import { prettyJSON } from "../../src/store/json";

test("JSON is indented as JSON.stringify does", () => {
  const value = { a: [], b: {}, c: [1, [2, { d: "x, {y}: [\\\"" }], [[]]], e: null, f: { g: true } };
  assert.equal(prettyJSON(JSON.stringify(value)), JSON.stringify(value, null, 2));
  assert.equal(prettyJSON(JSON.stringify(value, null, 4)), JSON.stringify(value, null, 2));
  for (const text of ["1", "[]", "\"a\"", "{}"]) assert.equal(prettyJSON(text), text);
});

test("numbers stay as they were written; what is no JSON stays as it is", () => {
  assert.equal(prettyJSON('{"seed":9007199254740993,"lr":1.0e-3}'), '{\n  "seed": 9007199254740993,\n  "lr": 1.0e-3\n}');
  assert.equal(prettyJSON("{a: 1}"), "{a: 1}");
});
