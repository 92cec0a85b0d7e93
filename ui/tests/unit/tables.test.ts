import assert from "node:assert/strict";
import test from "node:test";
import type { Json } from "../../src/api/types";
import { readTable, sortRows, toCSV } from "../../src/store/tables";

const rows: Json[][] = [["b10", 3], ["b2", "NaN"], ["a", null], [7, -1], [null, "Infinity"], [true, 3], ["b2", "-Infinity"]];
const sorted = (column: number, descending: boolean) => sortRows(rows, column, descending).map((row) => row[column]);

test("numbers by size, words as people count, what is missing last both ways", () => {
  assert.deepEqual(sorted(1, false), ["-Infinity", -1, 3, 3, "Infinity", "NaN", null]);
  assert.deepEqual(sorted(1, true), ["Infinity", 3, 3, -1, "-Infinity", "NaN", null]);
  assert.deepEqual(sorted(0, false), [7, "a", "b2", "b2", "b10", true, null]);
});

test("equal rows keep their order, and the table itself is not touched", () => {
  const before = JSON.stringify(rows);
  assert.deepEqual(sortRows(rows, 0, false).filter((row) => row[0] === "b2").map((row) => row[1]), ["NaN", "-Infinity"]);
  assert.equal(JSON.stringify(rows), before);
});

test("a stored table is one object or lines of rows", () => {
  assert.deepEqual(readTable('{"columns": ["x", "y"], "rows": [[1, 2], [3, 4]]}', []), { columns: ["x", "y"], rows: [[1, 2], [3, 4]] });
  assert.deepEqual(readTable('{"data": [[1]]}', ["x"]), { columns: ["x"], rows: [[1]] });
  assert.deepEqual(readTable('[1, "a"]\n[NaN, "b"]\n', ["x", "y"]), { columns: ["x", "y"], rows: [[1, "a"], ["NaN", "b"]] });
  assert.deepEqual(readTable("", ["x"]), { columns: ["x"], rows: [] });
});

test("CSV quotes what must be quoted", () => {
  assert.equal(toCSV(["a", "b,c"], [[1, 'say "hi"'], [null, [1, 2]], ["x\ny"]]),
    'a,"b,c"\r\n1,"say ""hi"""\r\n,"[1,2]"\r\n"x\ny",\r\n');
});
