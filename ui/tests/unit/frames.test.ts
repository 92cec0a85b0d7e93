import assert from "node:assert/strict";
import test from "node:test";
import { decodeFrame } from "../../src/api/frames";

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
