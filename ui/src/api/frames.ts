// The binary forms of points, little endian (docs/api.md): frames of the live feed, and the answer of a series read.
import type { SeriesAnswer } from "./types";

/** New points of one series; `key` and `run` are the numbers that a `names` message gave. */
export interface PointBlock {
  key: number;
  run: number;
  steps: Float64Array;
  /** Microseconds since 1970, or null when the frame carries none. */
  times: Float64Array | null;
  values: Float64Array;
}

export interface PointFrame {
  subscription: number;
  blocks: PointBlock[];
}

const HEAD = 8; // u32 subscription and four zero bytes
const BLOCK_HEAD = 16; // u32 key, run, n, flags
const HAS_TIMES = 1;

/** Signed 64-bit integers as doubles: exact up to 2^53, and no BigInt on the way. */
function integers(buffer: ArrayBuffer, offset: number, count: number): Float64Array {
  const words = new Int32Array(buffer, offset, count * 2);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = words[2 * i + 1]! * 4294967296 + (words[2 * i]! >>> 0);
  return out;
}

/** Reads one frame. Throws a RangeError that says what is wrong when it is cut short or has bytes left over. */
export function decodeFrame(buffer: ArrayBuffer): PointFrame {
  if (buffer.byteLength < HEAD) throw new RangeError(`a point frame of ${buffer.byteLength} bytes has no head`);
  const view = new DataView(buffer);
  const frame: PointFrame = { subscription: view.getUint32(0, true), blocks: [] };
  let at = HEAD;
  while (at < buffer.byteLength) {
    if (at + BLOCK_HEAD > buffer.byteLength) throw new RangeError(`a block's head is cut at byte ${at}`);
    const key = view.getUint32(at, true);
    const run = view.getUint32(at + 4, true);
    const count = view.getUint32(at + 8, true);
    const timed = (view.getUint32(at + 12, true) & HAS_TIMES) !== 0;
    at += BLOCK_HEAD;
    const size = count * 8 * (timed ? 3 : 2);
    if (at + size > buffer.byteLength) throw new RangeError(`a block of ${count} points is cut at byte ${at}`);
    const steps = integers(buffer, at, count);
    at += count * 8;
    let times: Float64Array | null = null;
    if (timed) {
      times = integers(buffer, at, count);
      at += count * 8;
    }
    frame.blocks.push({ key, run, steps, times, values: new Float64Array(buffer, at, count) });
    at += count * 8;
  }
  return frame;
}

const MAGIC = "MARTLETS";
const SERIES_HEAD = 16; // magic, u32 version, u32 length of the JSON header
const VERSION = 1;

interface SeriesHeader {
  series: {
    run: string;
    key: string;
    kind: "raw" | "buckets";
    count: number;
    n: number;
    arrays: { name: string; type: "i64" | "f64"; offset: number }[];
  }[];
}

/**
 * Reads the answer of a series read. Numbers are views into the buffer, nothing is copied; whole numbers become doubles.
 * Throws a RangeError that says what is wrong with bytes that are no such answer.
 */
export function decodeSeries(buffer: ArrayBuffer): SeriesAnswer[] {
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, Math.min(MAGIC.length, buffer.byteLength)));
  if (magic !== MAGIC || buffer.byteLength < SERIES_HEAD) throw new RangeError("these bytes are no series");
  const view = new DataView(buffer);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw new RangeError(`series of version ${version} cannot be read`);
  const data = SERIES_HEAD + view.getUint32(12, true);
  if (data > buffer.byteLength || data % 8 !== 0) throw new RangeError(`the header of the series ends at byte ${data}`);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, SERIES_HEAD, data - SERIES_HEAD))) as SeriesHeader;
  // The first array begins where the header ends; the others are as far from it as their offsets say.
  const first = header.series.reduce((least, { arrays }) => arrays.reduce((low, { offset }) => Math.min(low, offset), least), Infinity);
  return header.series.map(({ run, key, kind, count, n, arrays }) => {
    const columns = new Map<string, Float64Array>();
    for (const { name, type, offset } of arrays) {
      const at = data + offset - first;
      if (!(offset >= 0) || offset % 8 !== 0 || at + n * 8 > buffer.byteLength) throw new RangeError(`${name} of ${key} is cut at byte ${at}`);
      columns.set(name, type === "i64" ? integers(buffer, at, n) : new Float64Array(buffer, at, n));
    }
    return { run, key, kind, count, n, columns };
  });
}
