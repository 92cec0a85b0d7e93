import assert from "node:assert/strict";
import test from "node:test";
import { backoff } from "../../src/api/live";
import type { Sweep, Trial } from "../../src/api/types";
import { marked, spans } from "../../src/store/ansi";
import { Rows } from "../../src/store/rows";
import { Store } from "../../src/store/store";
import { spread } from "../../src/store/colours";
import { bestSoFar, progressOf, rank } from "../../src/store/sweeps";

test("lines drawn together are dashed only where colours meet, whatever their order", () => {
  assert.deepEqual(spread([3, 4, 13]), [3, 4, 5]);
  assert.deepEqual(spread([11, 3, 19]), [11, 3, 19]);
  assert.deepEqual(spread([19, 11]), [11, 3]);
});

interface Row { id: string; state: string }
const rows = () => new Rows<string, Row>((row) => row.id);
const all = (held: Rows<string, Row>) => [...held.all.values()].map(({ id, state }) => `${id} ${state}`).sort();

test("a row that the feed changed while the list was read is not set back", () => {
  const held = rows();
  held.begin();
  held.put({ id: "a", state: "finished" });
  held.page([{ id: "a", state: "running" }, { id: "b", state: "running" }]);
  held.end();
  assert.deepEqual(all(held), ["a finished", "b running"]);
});

test("a row that is no longer on the server goes, one that just came stays", () => {
  const held = rows();
  held.put({ id: "old", state: "finished" });
  held.begin();
  held.put({ id: "new", state: "queued" });
  held.page([{ id: "kept", state: "running" }]);
  held.end();
  assert.deepEqual(all(held), ["kept running", "new queued"]);
});

test("after the reading the next one counts again", () => {
  const held = rows();
  held.begin();
  held.put({ id: "a", state: "running" });
  held.end();
  held.begin();
  held.page([{ id: "a", state: "finished" }]);
  held.end();
  assert.deepEqual(all(held), ["a finished"]);
});

test("a store tells changes, and only changes", () => {
  const store = new Store(1);
  let told = 0;
  const end = store.subscribe(() => told++);
  store.set(1);
  store.set(2);
  end();
  store.set(3);
  assert.equal(told, 1);
});

test("the wait between tries doubles from a quarter of a second to eight", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 50].map(backoff), [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

function trial(number: number, state: Trial["state"], objective: Trial["objective"]): Trial {
  return {
    number, state, objective, run: null, run_name: null, run_state: null, params: {}, reason: null, created_at: 0,
    started_at: null, ended_at: null, metrics: null, attempts: 1,
  };
}

const trials = [
  trial(0, "complete", 0.5), trial(1, "failed", 0.1), trial(2, "running", null), trial(3, "complete", "NaN"),
  trial(4, "complete", 0.2), trial(5, "pruned", 0.9), trial(6, "complete", 0.3),
];

test("trials rank by objective; those without come after, failed ones last", () => {
  assert.deepEqual(rank(trials, false).map(({ number }) => number), [4, 6, 0, 5, 2, 3, 1]);
  assert.deepEqual(rank(trials, true).map(({ number }) => number), [5, 0, 6, 4, 2, 3, 1]);
});

test("what misses a constraint ranks behind all that meet it", () => {
  const judged = [
    { ...trial(0, "complete", 0.1), violations: [3] }, { ...trial(1, "complete", 0.5), violations: [-1] },
    { ...trial(2, "complete", 0.4), violations: ["NaN"] }, { ...trial(3, "running", null), violations: [] }, trial(4, "failed", null),
  ] as Trial[];
  assert.deepEqual(rank(judged, false).map(({ number }) => number), [1, 0, 2, 3, 4]);
});

test("the best so far only improves, and only complete trials count", () => {
  assert.deepEqual(bestSoFar(trials, false), [{ number: 0, best: 0.5 }, { number: 4, best: 0.2 }, { number: 6, best: 0.2 }]);
  assert.deepEqual(bestSoFar(trials, true), [{ number: 0, best: 0.5 }, { number: 4, best: 0.5 }, { number: 6, best: 0.5 }]);
});

test("progress counts what ended against what there will be", () => {
  const sweep = {
    counts: { waiting: 3, running: 2, complete: 4, pruned: 1, failed: 1 }, budget: null, space_size: 16,
  } as Sweep;
  assert.deepEqual(progressOf(sweep), { ended: 6, known: 11, total: 16 });
  assert.equal(progressOf({ ...sweep, budget: 12 }).total, 12);
  assert.equal(progressOf({ ...sweep, space_size: null }).total, null);
});

test("terminal colours become spans, other escapes nothing", () => {
  assert.deepEqual(spans("\u001b[1;31mbad\u001b[0m fine\u001b[2K\u001b]0;title\u0007!"), [
    { text: "bad", style: "ansi-1 ansi-bold" }, { text: " fine", style: "" }, { text: "!", style: "" },
  ]);
  assert.deepEqual(spans("<b>"), [{ text: "<b>", style: "" }]);
});

test("of 256 and of all colours the nearest of the page's is taken, and their numbers are no codes", () => {
  const style = (codes: string) => spans(`\u001b[${codes}mx`)[0]!.style;
  assert.deepEqual(["38;5;196", "38;5;21", "38;2;20;200;30", "38;5;4", "48;5;31", "48;2;31;1;4;1"].map(style),
    ["ansi-1", "ansi-4", "ansi-2", "ansi-4", "", "ansi-bold"]);
  assert.equal(spans("\u001b[1;3;4mx\u001b[22;24my")[1]!.style, "ansi-italic");
});

test("what was found is cut out of the spans, across their borders", () => {
  const line = spans("ab\u001b[31mcd\u001b[0mef");
  assert.deepEqual(marked(line, [[1, 3], [5, 6]]).map(({ text, style }) => `${text}:${style}`),
    ["a:", "b:found", "c:ansi-1 found", "d:ansi-1", "e:", "f:found"]);
  assert.deepEqual(marked(line, []), line);
});
