import assert from "node:assert/strict";
import test from "node:test";
import {
  flatten, formatAgo, formatCommand, formatDuration, formatMetric, formatNumber, formatTick, formatValue, plural, toNumber,
} from "../../src/format";

test("numbers that JSON cannot hold are read", () => {
  assert.deepEqual(["NaN", "Infinity", "-Infinity", 2, null, undefined].map((value) => toNumber(value as never)),
    [NaN, Infinity, -Infinity, 2, NaN, NaN]);
});

test("numbers keep four digits and need an exponent only at the far ends", () => {
  const written = [0, 1, 0.5, 0.28604, 1234.56, 39820.4, 1e6, 0.00012, 1e-5, -0.5, NaN, Infinity].map(formatNumber);
  assert.deepEqual(written, ["0", "1", "0.5", "0.286", "1235", "39820", "1e6", "1.2e−4", "1e−5", "−0.5", "NaN", "∞"]);
});

test("metrics keep their trailing zeros, so that a column is in line", () => {
  assert.deepEqual([0.286, 0.5, 12, 1.5].map(formatMetric), ["0.2860", "0.5000", "12", "1.500"]);
});

test("axis labels share the precision of their step", () => {
  assert.deepEqual([0, 0.1, 0.25].map((value) => formatTick(value, 0.05)), ["0", "0.10", "0.25"]);
  assert.deepEqual([500, 1500, 2000000].map((value) => formatTick(value, 500)), ["500", "1.5k", "2.0000M"]);
  assert.equal(formatTick(1e-5, 1e-5), "1e−5");
});

test("durations are written in the two units that matter", () => {
  const seconds = [0.25, 9.96, 12.7, 200, 7500, 273600];
  assert.deepEqual(seconds.map((each) => formatDuration(each * 1e6)), ["0.3 s", "10 s", "12 s", "3 m 20 s", "2 h 05 m", "3 d 4 h"]);
});

test("ages are written in words", () => {
  const now = 1_790_000_000_000_000;
  const ago = [3, 42, 200, 7300, 90_000, 200_000].map((seconds) => formatAgo(now - seconds * 1e6, now));
  assert.deepEqual(ago, ["just now", "42 s ago", "3 min ago", "2 h ago", "1 day ago", "2 days ago"]);
});

test("a command can be pasted into a shell", () => {
  assert.equal(formatCommand(["python3", "train.py", "--lr=1e-3", "it's", "", "a b"]), `python3 train.py --lr=1e-3 'it'\\''s' '' 'a b'`);
});

test("configurations flatten to dotted names, lists stay whole", () => {
  const flat = flatten({ lr: 1, optimizer: { name: "adam", betas: [0.9, 0.99] }, empty: {} });
  assert.deepEqual([...flat], [["lr", 1], ["optimizer.name", "adam"], ["optimizer.betas", [0.9, 0.99]], ["empty", {}]]);
});

test("values and counts in words", () => {
  assert.deepEqual([true, null, "x", [1, 2], undefined].map((value) => formatValue(value as never)), ["true", "null", "x", "[1,2]", ""]);
  assert.deepEqual([plural(1, "run"), plural(2, "run"), plural(1200, "run")], ["1 run", "2 runs", "1,200 runs"]);
});
