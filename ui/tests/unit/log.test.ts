// The log store over a server that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { api } from "../../src/api/client";
import { live } from "../../src/api/live";
import { LogLines } from "../../src/store/lines";
import { LogStore } from "../../src/store/log";
import { FakeSocket, browser } from "./fakes";

const clock = browser();
const KB = 1024;

/** The log's bytes. */
let file = Buffer.alloc(0);
let requests = 0;

/** A piece of a log that goes on, as the server gives it (LogReading.swift): cut at line ends where there are some. */
api.log = async (_run, stream, attempt, offset, limit) => {
  requests++;
  let start = offset < 0 ? Math.max(0, file.length + offset) : Math.min(offset, file.length);
  let bytes = file.subarray(start, start + Math.min(limit, 4 * KB * KB));
  const inner = bytes.indexOf(10) + 1;
  if (offset < 0 && start > 0 && file[start - 1] !== 10 && inner > 0 && inner < bytes.length) {
    start += inner;
    bytes = bytes.subarray(inner);
  }
  const last = bytes.lastIndexOf(10) + 1;
  if (last > 0) bytes = bytes.subarray(0, last);
  return {
    stream, attempt, offset: start, next_offset: start + bytes.length, size: file.length, ended: false,
    text: bytes.toString(),
  };
};

async function open(text: string): Promise<LogStore> {
  file = Buffer.from(text);
  live.start();
  FakeSocket.last.open();
  const store = new LogStore("a", "stdout", 1);
  await clock.pass(1000);
  return store;
}

async function close(store: LogStore): Promise<void> {
  store.close();
  live.stop();
  await clock.pass(0);
}

/** The feed brings what is written. */
async function write(text: string): Promise<void> {
  const id = FakeSocket.last.asked[0]!["id"];
  const offset = file.length;
  file = Buffer.concat([file, Buffer.from(text)]);
  FakeSocket.last.tell({ type: "log", id, offset, next_offset: file.length, text, ended: false });
  await clock.pass(10);
}

/** Lines of which each tells its number. */
const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `line ${String(from + i).padStart(9, "0")} \u2588\n`).join("");

/** All numbers in their order, none missing and none twice. */
function follows(lines: readonly string[], last: number): void {
  const first = last - lines.length;
  const wrong = lines.findIndex((line, i) => line !== `line ${String(first + i).padStart(9, "0")} \u2588`);
  assert.equal(wrong, -1, `line ${wrong} of ${lines.length} is "${lines[wrong]}" after "${lines[wrong - 1]}"`);
}

test("lines that are dropped are dropped by pieces, and where the first one begins is told", () => {
  const log = new LogLines(100);
  let offset = 0;
  for (let i = 0; i < 30; i++) {
    const text = numbered(i * 10, i * 10 + 10);
    log.append(text, offset);
    offset += Buffer.byteLength(text);
  }
  follows(log.lines, 300);
  assert.equal(log.lines.length, 100);
  assert.equal(log.from, Buffer.byteLength(numbered(0, 200)));
  assert.equal(log.dropped, 200);
});

test("what the reader asked for stays until as much again has come", () => {
  const log = new LogLines(100);
  log.append(numbered(100, 200), 1900);
  log.prepend(numbered(0, 100), 0);
  for (let i = 200; i < 300; i++) log.append(numbered(i, i + 1), i * 19);
  assert.deepEqual([log.lines.length, log.dropped], [300, 0]);
  log.append(numbered(300, 301), 5700);
  assert.deepEqual([log.lines.length, log.dropped], [201, 100]);
  follows(log.lines, 301);
});

test("a log that outgrows the page is read on without a hole", async () => {
  const store = await open(numbered(0, 100_000));
  for (let at = 100_000; at < 310_000; at += 10_000) await write(numbered(at, at + 10_000));
  const { lines, from, trimmed } = store.state.value;
  assert.ok(lines.length <= 200_000 && trimmed, `${lines.length} lines`);
  follows(lines, 310_000);
  assert.equal(from, Buffer.byteLength(numbered(0, 310_000 - lines.length)));
  await store.earlier();
  assert.ok(store.state.value.lines.length > lines.length);
  follows(store.state.value.lines, 310_000);
  // What the reader asked for is not dropped with the next line.
  const { length } = store.state.value.lines;
  await write(numbered(310_000, 310_001));
  assert.equal(store.state.value.lines.length, length + 1);
  while (store.state.value.from > 0) await store.earlier();
  follows(store.state.value.lines, 310_001);
  assert.equal(store.state.value.lines.length, 310_001);
  await close(store);
});

test("two wishes for earlier lines at once are one", async () => {
  const store = await open(numbered(0, 100_000));
  await Promise.all([store.earlier(), store.earlier()]);
  follows(store.state.value.lines, 100_000);
  await close(store);
});

/** A progress bar of so many bytes: one line that is written anew again and again. */
const bar = (bytes: number): string => {
  const step = (i: number) => `\r${String(i % 100).padStart(3)} % \u2588\u2588`;
  return Array.from({ length: Math.ceil(bytes / 12) }, (_, i) => step(i)).join("");
};

test("a progress bar longer than a piece does not end the way back", async () => {
  for (const size of [300 * KB, 1200 * KB, 9000 * KB]) {
    const store = await open(`first\nsecond\n${bar(size)}\nlast\n`);
    for (let i = 0; i < 4 && store.state.value.from > 0; i++) await store.earlier();
    const { lines, from } = store.state.value;
    assert.equal(from, 0);
    assert.deepEqual([lines[0], lines[1], lines.at(-1), lines.length], ["first", "second", "last", 4]);
    assert.match(lines[2]!, /^ *\d+ % \u2588\u2588$/);
    await close(store);
  }
});

test("a progress bar at the very end is there from the start", async () => {
  for (const end of ["\n", ""]) {
    const store = await open(`first\n${bar(2000 * KB)}${end}`);
    assert.match(store.state.value.lines.join("|"), /^ *\d+ % \u2588\u2588$/);
    await store.earlier();
    const { lines, from } = store.state.value;
    assert.deepEqual([lines[0], lines.length, from], ["first", 2, 0]);
    await close(store);
  }
});

test("a long line without carriage returns is whole once its beginning is there", async () => {
  const long = "\u2588abcdefg".repeat(150 * KB);
  const store = await open(`first\n${long}\n`);
  while (store.state.value.from > 0) await store.earlier();
  assert.deepEqual([store.state.value.lines.length, store.state.value.lines[0]], [2, "first"]);
  assert.ok(store.state.value.lines[1] === long);
  await close(store);
});

test("one wish for earlier lines reads a bounded part of an endless line", async () => {
  const store = await open(bar(64 * KB * KB));
  requests = 0;
  await store.earlier();
  assert.ok(requests <= 20, `${requests} requests`);
  assert.ok(store.state.value.from > 0);
  await close(store);
});
