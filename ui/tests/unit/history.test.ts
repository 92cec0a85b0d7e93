import assert from "node:assert/strict";
import test from "node:test";
import type { HistoryRow, Json, Summary } from "../../src/api/types";
import { type Entry, entryAt, merge } from "../../src/store/history";
import { LastValues } from "../../src/store/media";

const row = (at: number, step: number, value: Json): HistoryRow => ({ row: at, step, time: 0, values: { v: value } });
const told = (entries: readonly Entry[]) => entries.map(({ row: at, step }) => [at, step]);

test("pieces go on where the last one ended, by step however they arrived", () => {
  const first = merge([], [row(0, 0, [1]), row(3, 10, [2])], "v");
  const all = merge(first, [row(4, 5, [3]), row(7, 10, [4])], "v");
  assert.deepEqual(told(all), [[0, 0], [4, 5], [3, 10], [7, 10]]);
  assert.deepEqual(told(first), [[0, 0], [3, 10]]);
});

test("what is no typed value is passed over", () => {
  assert.deepEqual(told(merge([], [row(0, 0, "text"), row(1, 1, [1]), row(2, 2, null)], "v")), [[1, 1]]);
  assert.deepEqual(merge([], [row(0, 0, [1])], "other"), []);
});

test("at a step stands the last value that was logged by then", () => {
  const entries = [{ step: 10 }, { step: 20 }, { step: 20 }, { step: 40 }];
  assert.deepEqual([null, 0, 10, 19, 20, 39, 40, 99].map((step) => entryAt(entries, step)), [3, 0, 0, 0, 2, 2, 3, 3]);
  assert.equal(entryAt([], 3), -1);
});

test("a name's last value stays the same object until something is logged under it", () => {
  const values = new LastValues();
  const summary = (step: number): Summary => ({
    loss: { last: 1 } as never, note: { value: "text", last_step: 0 }, curve: { value: [1, 2], last_step: step },
    both: { last: 1, last_step: 4, value: [3] } as never,
  });
  const first = values.of(summary(1));
  assert.deepEqual([...first.keys()], ["curve", "both"]);
  assert.equal(values.of(summary(1)).get("curve"), first.get("curve"));
  assert.notEqual(values.of(summary(2)).get("curve"), first.get("curve"));
});
