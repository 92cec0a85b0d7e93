// Lines of an output by number, over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError, api } from "../../src/api/client";
import { live } from "../../src/api/live";
import { type LogLine, type LogMatch, tracking } from "../../src/api/tracking";
import type { LogPiece } from "../../src/api/types";
import { BLOCK, LogLines, blockOf } from "../../src/store/loglines";
import { LogSearch } from "../../src/store/logsearch";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

/** What the program has written, line by line; those before `settled` do not change any more. */
let written: string[] = [];
let ended = false;
let asked: number[] = [];

tracking.lines = async (_run, { from, count }) => {
  const first = from < 0 ? Math.max(0, written.length + from) : from;
  if (from >= 0) asked.push(first);
  const items = written.slice(first, first + count).map((text, i): LogLine => ({ n: first + i, at: 0, stream: "stdout", text }));
  return { attempt: 1, attempts: 1, total: written.length, ended, settled: ended ? written.length : Math.max(0, written.length - 1), items };
};
api.log = async () => ({ size: 1000 }) as LogPiece;

async function open(count: number, done: boolean): Promise<LogLines> {
  written = Array.from({ length: count }, (_, i) => `line ${i + 1}`);
  [ended, asked] = [done, []];
  live.start();
  FakeSocket.last.open();
  const lines = new LogLines("r", "stdout", 1, !done);
  await clock.pass(10);
  return lines;
}

function close(lines: LogLines): void {
  lines.close();
  live.stop();
}

test("the end is read first, other lines when they come into sight, each block once", async () => {
  const lines = await open(BLOCK * 5 + 20, true);
  assert.equal(lines.state.value.total, BLOCK * 5 + 20);
  assert.equal(lines.line(BLOCK * 5 + 19)?.text, `line ${BLOCK * 5 + 20}`);
  assert.equal(lines.line(0), undefined);
  asked = [];
  lines.look(BLOCK - 5, BLOCK + 5);
  lines.look(BLOCK - 4, BLOCK + 6);
  await clock.pass(10);
  lines.look(BLOCK - 3, BLOCK + 7);
  await clock.pass(10);
  assert.deepEqual(asked, [0, BLOCK]);
  assert.equal(lines.line(BLOCK - 1)?.text, `line ${BLOCK}`);
  assert.equal(lines.line(BLOCK)?.text, `line ${BLOCK + 1}`);
  assert.deepEqual([blockOf(0), blockOf(BLOCK - 1), blockOf(BLOCK)], [0, 0, 1]);
  close(lines);
});

test("what is written meanwhile follows, and a line that is written anew is read anew", async () => {
  const lines = await open(3, false);
  const [subscription] = FakeSocket.last.asked;
  assert.deepEqual([subscription?.["topic"], subscription?.["stream"], subscription?.["offset"]], ["log", "stdout", 1000]);
  written[2] = "50 %";
  written.push("done");
  FakeSocket.last.tell({ type: "log", id: subscription!["id"], offset: 1000, next_offset: 1010, text: "", ended: false });
  await clock.pass(400);
  assert.deepEqual([2, 3].map((n) => lines.line(n)?.text), ["50 %", "done"]);
  close(lines);
});

test("where the feed could not be subscribed to, it is looked for, and then heard", async () => {
  const whole = api.log;
  let down = true;
  api.log = async (...args) => {
    if (down) throw new ApiError(503, "unavailable", "Not now.");
    return whole(...args);
  };
  const lines = await open(3, false);
  assert.equal(FakeSocket.last.asked.length, 0);
  written.push("more");
  await clock.pass(3000);
  assert.deepEqual([lines.line(3)?.text, lines.error.value], ["more", null]);
  down = false;
  await clock.pass(3000);
  assert.equal(FakeSocket.last.asked.length, 1);
  asked = [];
  await clock.pass(10_000);
  assert.deepEqual(asked, []);
  api.log = whole;
  close(lines);
});

test("lines of the newest attempt stay those of one attempt", async () => {
  const whole = tracking.lines;
  let newest = 1;
  const attempts: (number | null)[] = [];
  tracking.lines = async (run, question) => {
    attempts.push(question.attempt);
    return { ...(await whole(run, question)), attempt: question.attempt ?? newest, attempts: newest };
  };
  written = Array.from({ length: 5 }, (_, i) => `line ${i}`);
  ended = false;
  const lines = new LogLines("r", "stdout", null, true);
  await clock.pass(10);
  newest = 2;
  await lines.refresh();
  assert.deepEqual(attempts.slice(0, 1), [null]);
  assert.deepEqual([...new Set(attempts.slice(1))], [1]);
  assert.deepEqual([lines.state.value.attempt, lines.state.value.attempts], [1, 2]);
  tracking.lines = whole;
  lines.close();
});

test("an output without a line says so", async () => {
  const lines = await open(0, true);
  assert.deepEqual([lines.state.value.total, lines.state.value.ended], [0, true]);
  close(lines);
});

const match = (n: number): LogMatch => ({ n, at: 0, stream: "stdout", text: "x", ranges: [[0, 1]] });

test("matches are walked through in both directions and over pages, beginning where the reader is", async () => {
  tracking.search = async (_run, { after }) => (after === null
    ? { count: 4, complete: true, items: [match(5), match(50)], next: 50 } : { count: 2, complete: true, items: [match(500), match(5000)], next: null });
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  assert.equal(search.state.value.count, 4);
  assert.equal(await search.step(1, 20), 50);
  assert.equal(await search.step(1, 20), 500);
  assert.equal(await search.step(1, 20), 5000);
  assert.equal(search.state.value.count, 4);
  assert.equal(await search.step(1, 20), 5);
  assert.equal(await search.step(-1, 20), 5000);
  search.write({ text: "" });
  assert.deepEqual([search.state.value.matches.length, search.state.value.count], [0, null]);
  search.close();
});

/** Matches at these lines, a page at a time. */
function matchesAt(lines: () => number[]): void {
  tracking.search = async (_run, { after, limit }) => {
    const rest = lines().filter((n) => n > (after ?? -1));
    const items = rest.slice(0, limit);
    return { count: rest.length, complete: true, items: items.map(match), next: items.length < rest.length ? items[items.length - 1]! : null };
  };
}

test("before the first match stands the last of all, however many pages that are", async () => {
  matchesAt(() => Array.from({ length: 950 }, (_, i) => i * 10));
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  assert.equal(await search.step(1, 0), 0);
  assert.equal(await search.step(-1, 0), 9490);
  assert.deepEqual([search.state.value.at, search.state.value.count], [949, 950]);
  search.write({ text: "xy" });
  await clock.pass(300);
  // The one before the line that the reader sees may be on a later page, too.
  assert.equal(await search.step(-1, 5005), 5000);
  search.close();
});

test("what is written after the search is found, and the reader stays on their match", async () => {
  let found = [5, 50, 500];
  matchesAt(() => found);
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  assert.equal(await search.step(1, 20), 50);
  found = [5, 7, 50, 500, 5000];
  for (let i = 0; i < 10; i++) search.grown();
  await clock.pass(3000);
  assert.deepEqual([search.state.value.count, search.state.value.at], [5, 2]);
  assert.equal(await search.step(1, 20), 500);
  search.close();
});

test("what is looked for changes while a page of matches is read: there is nowhere to go", async () => {
  matchesAt(() => Array.from({ length: 950 }, (_, i) => i));
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  const quick = tracking.search;
  tracking.search = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return quick(...args);
  };
  const gone = search.step(-1, 0);
  search.write({ text: "xy" });
  await clock.pass(150);
  assert.equal(await gone, null);
  search.close();
});

test("another attempt's output is searched anew", async () => {
  const asked: (number | null)[] = [];
  tracking.search = async (_run, { attempt }) => {
    asked.push(attempt);
    return { count: 0, complete: true, items: [], next: null };
  };
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  search.pin(2);
  search.pin(2);
  await clock.pass(300);
  assert.deepEqual(asked, [null, 2]);
  search.close();
});

test("a regular expression is asked for as one, and what is wrong with it is told until it is mended", async () => {
  const asked: [string, boolean, boolean][] = [];
  tracking.search = async (_run, { text, regex, case: exact }) => {
    asked.push([text, regex, exact]);
    if (regex && text === "(") throw new ApiError(400, "bad_request", "A '(' is never closed.", "Write \\( for it.");
    return { count: 1, complete: true, items: [match(3)], next: null };
  };
  const search = new LogSearch("r", "all", null);
  search.write({ text: "(" });
  await clock.pass(300);
  assert.deepEqual([search.error.value, search.state.value.count], [null, 1]);
  search.write({ regex: true });
  await clock.pass(300);
  assert.deepEqual([search.error.value?.hint, search.state.value.count, search.state.value.searching], ["Write \\( for it.", null, false]);
  search.write({ text: "(a)" });
  assert.equal(search.error.value, null);
  await clock.pass(300);
  assert.equal(search.state.value.count, 1);
  search.write({ regex: false, case: true });
  await clock.pass(300);
  assert.deepEqual(asked, [["(", false, false], ["(", true, false], ["(a)", true, false], ["(a)", false, true]]);
  search.close();
});

test("a search that could not look through all goes on where it ended", async () => {
  const asked: (number | null)[] = [];
  tracking.search = async (_run, { after }) => {
    asked.push(after);
    if (after === null) return { count: 0, complete: false, items: [], next: 99 };
    return after === 99 ? { count: 1, complete: false, items: [match(150)], next: 199 } : { count: 2, complete: true, items: [match(250), match(260)], next: null };
  };
  const search = new LogSearch("r", "all", null);
  search.write({ text: "x" });
  await clock.pass(300);
  assert.deepEqual([asked, search.state.value.count, search.state.value.complete, search.state.value.searching], [[null, 99], 1, false, false]);
  assert.equal(await search.step(1, 0), 150);
  assert.equal(await search.step(1, 0), 250);
  assert.deepEqual([search.state.value.count, search.state.value.complete, search.state.value.at], [3, true, 1]);
  search.close();
});

test("an output that is still being counted is asked for again", async () => {
  const whole = tracking.lines;
  let busy = true;
  tracking.lines = async (...args) => {
    if (busy) throw new ApiError(503, "unavailable", "The log is long, and is still being read: 40 % so far.");
    return whole(...args);
  };
  written = ["one"];
  ended = true;
  const lines = new LogLines("r", "stdout", 1, false);
  await clock.pass(100);
  assert.match(lines.error.value?.message ?? "", /40 %/);
  busy = false;
  await clock.pass(3000);
  assert.deepEqual([lines.state.value.total, lines.error.value], [1, null]);
  tracking.lines = whole;
  lines.close();
});
