import assert from "node:assert/strict";
import test from "node:test";
import { decodeFrame, decodeSeries } from "../../src/api/frames";

/** A frame as docs/api.md describes it, written byte by byte. */
function frame(subscription: number, blocks: { key: number; run: number; steps: bigint[]; times?: bigint[]; values: number[] }[]) {
  const size = blocks.reduce((sum, block) => sum + 16 + block.steps.length * (block.times ? 24 : 16), 8);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, subscription, true);
  let at = 8;
  for (const { key, run, steps, times, values } of blocks) {
    for (const head of [key, run, steps.length, times ? 1 : 0]) {
      view.setUint32(at, head, true);
      at += 4;
    }
    for (const whole of [...steps, ...(times ?? [])]) {
      view.setBigInt64(at, whole, true);
      at += 8;
    }
    for (const value of values) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  return view.buffer;
}

test("blocks with and without times are read", () => {
  const read = decodeFrame(frame(7, [
    { key: 3, run: 1, steps: [10n, 11n], times: [1_790_000_000_000_000n, 1_790_000_000_500_000n], values: [0.5, NaN] },
    { key: 4, run: 2, steps: [-3n], values: [-Infinity] },
  ]));
  assert.equal(read.subscription, 7);
  assert.equal(read.blocks.length, 2);
  const [first, second] = read.blocks as [typeof read.blocks[0], typeof read.blocks[0]];
  assert.deepEqual([first!.key, first!.run], [3, 1]);
  assert.deepEqual([...first!.steps], [10, 11]);
  assert.deepEqual([...first!.times!], [1_790_000_000_000_000, 1_790_000_000_500_000]);
  assert.deepEqual([...first!.values], [0.5, NaN]);
  assert.deepEqual([...second!.steps], [-3]);
  assert.equal(second!.times, null);
  assert.deepEqual([...second!.values], [-Infinity]);
});

test("steps beyond 32 bits are whole", () => {
  const steps = [4294967296n, 9007199254740991n, -4294967297n];
  assert.deepEqual([...decodeFrame(frame(1, [{ key: 0, run: 0, steps, values: [1, 2, 3] }])).blocks[0]!.steps], steps.map(Number));
});

test("a frame without blocks is empty", () => {
  assert.deepEqual(decodeFrame(frame(9, [])), { subscription: 9, blocks: [] });
});

test("a frame cut anywhere is refused, never read half", () => {
  const whole = frame(1, [{ key: 1, run: 1, steps: [1n, 2n], values: [1, 2] }]);
  for (let length = 0; length < whole.byteLength; length++) {
    if (length === 8) continue; // a head alone is a frame without blocks
    assert.throws(() => decodeFrame(whole.slice(0, length)), RangeError, `${length} bytes`);
  }
});

interface Line { run: string; key: string; kind: string; count: number; n: number; cells: [name: string, cells: bigint[] | number[]][] }

/** The answer of a series read as docs/api.md describes it, written byte by byte. */
function answer(lines: Line[], version = 1): ArrayBuffer {
  let offset = 0; // counted from the first array
  const series = lines.map(({ cells, ...line }) => ({
    ...line,
    arrays: cells.map(([name, all]) => {
      const array = { name, type: typeof all[0] === "bigint" ? "i64" : "f64", offset };
      offset += all.length * 8;
      return array;
    }),
  }));
  const header = new TextEncoder().encode(JSON.stringify({ series }));
  const text = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(0x20);
  text.set(header);
  const bytes = new Uint8Array(16 + text.length + offset);
  bytes.set(new TextEncoder().encode("MARTLETS"));
  bytes.set(text, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, text.length, true);
  let at = 16 + text.length;
  for (const { cells } of lines) {
    for (const [, all] of cells) {
      for (const cell of all) {
        if (typeof cell === "bigint") view.setBigInt64(at, cell, true);
        else view.setFloat64(at, cell, true);
        at += 8;
      }
    }
  }
  return bytes.buffer;
}

const read = answer([
  { run: "aaaa1111", key: "löss", kind: "raw", count: 2, n: 2, cells: [["steps", [0n, 9007199254740991n]], ["values", [NaN, -Infinity]]] },
  { run: "bbbb2222", key: "acc", kind: "buckets", count: 9, n: 1, cells: [["steps", [-5n]], ["max", [1e308]], ["x", [0.5]]] },
]);

test("the answer of a series read is read, whole numbers as doubles", () => {
  const [first, second] = decodeSeries(read);
  assert.deepEqual([first!.run, first!.key, first!.kind, first!.count, first!.n], ["aaaa1111", "löss", "raw", 2, 2]);
  assert.deepEqual([...first!.columns.get("steps")!], [0, 9007199254740991]);
  assert.deepEqual([...first!.columns.get("values")!], [NaN, -Infinity]);
  assert.deepEqual([second!.kind, [...second!.columns.keys()]], ["buckets", ["steps", "max", "x"]]);
  assert.deepEqual([...second!.columns.get("max")!, ...second!.columns.get("x")!, ...second!.columns.get("steps")!], [1e308, 0.5, -5]);
});

test("doubles are views into the answer, nothing is copied", () => {
  assert.equal(decodeSeries(read)[0]!.columns.get("values")!.buffer, read);
});

test("an answer without series is empty", () => {
  assert.deepEqual(decodeSeries(answer([])), []);
});

test("an answer cut anywhere, of another kind or of another version is refused", () => {
  for (let length = 0; length < read.byteLength; length++) {
    assert.throws(() => decodeSeries(read.slice(0, length)), RangeError, `${length} bytes`);
  }
  assert.throws(() => decodeSeries(new TextEncoder().encode('{"series": [], "x": 1}').buffer), RangeError);
  assert.throws(() => decodeSeries(answer([], 2)), /version 2/);
});
