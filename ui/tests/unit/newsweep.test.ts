import assert from "node:assert/strict";
import test from "node:test";
import type { Sweep } from "../../src/api/types";
import { parseRoute, pathOf } from "../../src/router";
import { flawsOf, memberOf, offsetOf } from "../../src/store/sourceplace";
import { againWords, goOnWords, windowWords } from "../../src/store/sweepwords";
import { changeWords } from "../../src/store/poolchanges";

const sweep = (more: Partial<Sweep>): Sweep => ({
  state: "running", method: "bayes", budget: 20, space_size: null, max_parallel: 2,
  counts: { waiting: 0, running: 2, complete: 10, pruned: 0, failed: 0 }, ...more,
} as Sweep);

test("what is wrong in a file is told line by line, with its place", () => {
  const message = "a.yaml:2:1: unknown key 'metod'; did you mean 'method'?\na.yaml:7:12: 'lr' has no values";
  assert.deepEqual(flawsOf({ message, details: { line: 2, column: 1, key: "metod" } }), [
    { place: { line: 2, column: 1 }, text: "unknown key 'metod'; did you mean 'method'?" }, { place: { line: 7, column: 12 }, text: "'lr' has no values" },
  ]);
  // Without a name, and with a colon in what is said.
  assert.deepEqual(flawsOf({ message: "sweep file:3:4: this is: wrong", details: { line: 3 } }), [{ place: { line: 3, column: 4 }, text: "this is: wrong" }]);
  assert.deepEqual(flawsOf({ message: "The disk is full: 3:4: no.", details: null }), [{ place: null, text: "The disk is full: 3:4: no." }]);
  assert.equal(memberOf({ details: { key: "workdir" } }), "workdir");
  assert.equal(memberOf({ details: { key: "method", line: 2 } }), null);
  assert.equal(memberOf(null), null);
});

test("a place is found in the text, whatever characters come before it", () => {
  const text = "name: a\ntitle: 🐦x\n";
  assert.equal(offsetOf(text, { line: 1, column: 7 }), 6);
  assert.equal(text.slice(offsetOf(text, { line: 2, column: 9 })), "x\n");
  assert.equal(offsetOf(text, { line: 2, column: 99 }), text.length - 1);
  assert.equal(offsetOf(text, { line: 9, column: 1 }), text.length);
});

test("the page of a new sweep has an address of its own", () => {
  assert.deepEqual(parseRoute("/p/a%20b/sweeps/new"), { page: "newsweep", project: "a b" });
  assert.equal(pathOf({ page: "newsweep", project: "a b" }), "/p/a%20b/sweeps/new");
  assert.equal(parseRoute("/p/a/sweeps/newsweep").page, "sweep");
});

test("trying a trial again says what becomes of the sweep", () => {
  assert.equal(againWords(sweep({}), 1), "The same parameters as one more trial with a seed of its own (MARTLET_SEED). "
    + "It is tried before bayes is asked again. There are 21 trials at most then, in place of 20.");
  assert.match(againWords(sweep({ state: "paused", budget: null }), 3),
    /^The same parameters as 3 more trials, each .+\. When the sweep is resumed, they are tried before bayes is asked again\.$/);
  const counts = { waiting: 0, running: 0, complete: 18, pruned: 1, failed: 1 };
  assert.match(againWords(sweep({ state: "finished", counts }), 1), /The sweep has ended, and is taken up again for it\. Then it ends again\.$/);
  assert.match(againWords(sweep({ state: "stopped", counts: { ...counts, complete: 15 } }), 2), /for them\. It had 3 trials left: it goes on with those, too\.$/);
  assert.match(againWords(sweep({ state: "stopped", budget: null }), 1), /It has no limit of trials: it goes on until it is stopped, or nothing is left to try\.$/);
});

test("going on says how many trials there will be", () => {
  const over = sweep({ state: "finished", counts: { waiting: 0, running: 0, complete: 9, pruned: 0, failed: 1 } });
  assert.equal(goOnWords(over, 25), "It is taken up again with all that it learned from 10 trials, has up to 15 more, and ends again.");
  assert.match(goOnWords(over, null), /goes on until it is stopped/);
});

test("no trial at a time means agents, in words", () => {
  assert.equal(windowWords(sweep({ max_parallel: 0 })), "run by agents");
  assert.equal(windowWords(sweep({ max_parallel: 0, max_parallel_auto: true })), "as many at a time as there is room for");
  assert.equal(windowWords(sweep({})), "2 at a time");
  assert.equal(changeWords({ max_parallel: 0 }), "Agents run all that come.");
});
