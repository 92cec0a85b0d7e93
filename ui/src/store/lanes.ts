// Who held which device when: what this page has seen, what the server remembers, and what is planned; laid out in lanes.
import type { Holding, Pool, QueueEntry, Run } from "../api/types";

/** A stretch of time that an attempt held devices, or a CPU slot. Times in microseconds. */
export interface Span {
  key: string;
  run: string | null;
  name: string;
  project: string | null;
  sweep: string | null;
  trial: number | null;
  devices: readonly number[];
  from: number;
  /** When it ended; null: it goes on. */
  to: number | null;
  /** When it should end; null: nobody knows. */
  planned: number | null;
  /** How it stands, or how it ended as far as that is known. */
  state: string;
}

/** Where a span begins that has not begun. */
export const isPlanned = (span: Span): boolean => span.state === "planned";

const MOST = 3000; // spans that are remembered
const KEPT = 5 * 3600e6; // microseconds for which they are
const READINGS_KEPT = 15 * 60e6;
const IDLE = 0.05; // a device that is used less than this does nothing

export interface Reading {
  at: number;
  utilization: number;
}

const nameOf = (each: { run_name: string | null }): string => each.run_name ?? "another project's run";

/** What a page has seen of the pool since it was loaded. */
export class PoolHistory {
  #spans = new Map<string, Span>();
  #readings = new Map<number, Reading[]>();

  get spans(): readonly Span[] {
    return [...this.#spans.values()];
  }

  readings(device: number): readonly Reading[] {
    return this.#readings.get(device) ?? [];
  }

  /** The pool stands like this now. */
  take(pool: Pool, now: number): void {
    const held = new Set<string>();
    for (const holding of pool.running) {
      const key = keyOf(holding);
      held.add(key);
      this.#spans.set(key, spanOf(holding, key));
    }
    for (const [key, span] of this.#spans) {
      if (span.to === null && !held.has(key)) this.#spans.set(key, { ...span, to: Math.max(now, span.from), state: "ended" });
    }
    for (const { index, reading } of pool.devices) {
      if (!reading || reading.utilization === null) continue;
      const at = reading.at ?? now;
      const list = this.#readings.get(index) ?? [];
      if (at <= (list[list.length - 1]?.at ?? -Infinity)) continue;
      this.#readings.set(index, [...list.filter((each) => each.at >= at - READINGS_KEPT), { at, utilization: reading.utilization }]);
    }
    this.#forget(now);
  }

  /** Runs that ended before the page was loaded, or whose end is known better now. */
  remember(runs: readonly Run[], now: number): void {
    for (const run of runs) {
      if (run.attempts === 0 || run.started_at === null || run.ended_at === null) continue;
      const key = `${run.id}#${run.attempt}`;
      this.#spans.set(key, {
        key, run: run.id, name: run.name, project: run.project, sweep: run.sweep, trial: run.trial,
        devices: (run.devices ?? []).map(Number).filter(Number.isInteger), from: run.started_at, to: run.ended_at, planned: null, state: run.state,
      });
    }
    this.#forget(now);
  }

  #forget(now: number): void {
    const ended = [...this.#spans.values()].filter(({ to }) => to !== null).sort((a, b) => b.to! - a.to!);
    ended.forEach((span, i) => {
      if (i >= MOST || span.to! < now - KEPT) this.#spans.delete(span.key);
    });
  }
}

const keyOf = (holding: Holding): string =>
  `${holding.run ?? `hidden ${holding.since} ${holding.devices.join("+")}`}#${holding.attempt}`;

function spanOf(holding: Holding, key: string): Span {
  const { run, project, sweep, trial, devices, since, expected_end, state } = holding;
  return { key, run, name: nameOf(holding), project, sweep, trial, devices, from: since, to: null, planned: expected_end, state };
}

/** Of those who wait, who has an estimate: when each should begin. How long they will take nobody says. */
export function plannedSpans(queue: readonly QueueEntry[]): Span[] {
  return queue.flatMap((entry, i): Span[] => (entry.starts_at === null ? [] : [{
    key: `planned ${entry.run ?? i}`, run: entry.run, name: nameOf(entry), project: entry.project, sweep: entry.sweep, trial: entry.trial,
    devices: [], from: entry.starts_at, to: null, planned: null, state: "planned",
  }]));
}

/** Since when a device has been seen idle without a break, while somebody holds it; null: it works, or nobody looked. */
export function idleSince(readings: readonly Reading[], heldSince: number): number | null {
  let since: number | null = null;
  for (let i = readings.length - 1; i >= 0; i--) {
    const { at, utilization } = readings[i]!;
    if (utilization >= IDLE || at < heldSince) break;
    since = at;
  }
  return since;
}

/** The part of the window that one who waits is drawn as: how long it will take nobody says. */
export const PLANNED = 0.1;
const MOST_NEXT = 6; // lanes of those who wait: the nearest tell most

export interface Lane {
  id: string;
  /** At the left edge; "" for the further lanes of one group. */
  title: string;
  spans: Span[];
}

/** Puts spans that overlap into lanes of their own, each as high up as it fits; at least one lane. `room`: how long a planned one is drawn. */
export function packed(spans: readonly Span[], room = 0): Span[][] {
  const lanes: { spans: Span[]; end: number }[] = [];
  const endOf = (span: Span) => span.to ?? (isPlanned(span) ? span.from + room : Infinity);
  for (const span of [...spans].sort((a, b) => a.from - b.from || (a.key < b.key ? -1 : 1))) {
    const free = lanes.find(({ end }) => end <= span.from);
    if (free) {
      free.spans.push(span);
      free.end = endOf(span);
    } else lanes.push({ spans: [span], end: endOf(span) });
  }
  return lanes.length === 0 ? [[]] : lanes.map((lane) => lane.spans);
}

/** The lanes of a window of time: each device's, those of the CPU slots, and of those who wait. */
export function layLanes(pool: Pick<Pool, "devices" | "queue">, spans: readonly Span[], window: readonly [number, number]): Lane[] {
  const seen = spans.filter((span) => span.from < window[1] && (span.to ?? Infinity) > window[0]);
  const lanes: Lane[] = [];
  const room = PLANNED * (window[1] - window[0]);
  const group = (id: string, title: string, members: readonly Span[], most = Infinity) => {
    packed(members, room).slice(0, most).forEach((each, i) => lanes.push({ id: i === 0 ? id : `${id}.${i}`, title: i === 0 ? title : "", spans: each }));
  };
  for (const { index } of pool.devices) group(`gpu ${index}`, `GPU ${index}`, seen.filter(({ devices }) => devices.includes(index)));
  const known = new Set(pool.devices.map(({ index }) => index));
  const others = seen.filter(({ devices }) => !devices.some((device) => known.has(device)));
  if (others.length > 0 || pool.devices.length === 0) group("cpu", "CPU", others);
  const waiting = plannedSpans(pool.queue).filter(({ from }) => from < window[1]);
  if (waiting.length > 0) group("next", "Next", waiting, MOST_NEXT);
  return lanes;
}

/** A span in its lane. */
export interface Spot {
  lane: number;
  span: Span;
}

/** Where a key leads from a span: along its lane, or to the next lane that has any. Undefined: the key leads nowhere. */
export function stepped(lanes: readonly Lane[], from: Spot | null, key: string): Spot | null | undefined {
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[key];
  const ends = { Home: 0, End: -1 }[key];
  if (across === undefined && down === undefined && ends === undefined) return undefined;
  const filled = lanes.map((lane, i) => ({ lane, i })).filter(({ lane }) => lane.spans.length > 0);
  if (filled.length === 0) return null;
  if (from === null) {
    const { lane, i } = filled[0]!;
    return { lane: i, span: lane.spans[lane.spans.length - 1]! };
  }
  if (down !== undefined) {
    const at = filled.findIndex(({ i }) => i === from.lane);
    const next = filled[Math.min(filled.length - 1, Math.max(0, at + down))]!;
    const nearest = next.lane.spans.reduce((a, b) => (Math.abs(b.from - from.span.from) < Math.abs(a.from - from.span.from) ? b : a));
    return { lane: next.i, span: next.i === from.lane ? from.span : nearest };
  }
  const { spans } = lanes[from.lane]!;
  const at = spans.indexOf(from.span);
  const to = ends === undefined ? Math.min(spans.length - 1, Math.max(0, at + across!)) : ends === 0 ? 0 : spans.length - 1;
  return { lane: from.lane, span: spans[to]! };
}

/** The course of utilisation over the time that is kept, as SVG paths: a line, and what lies below it. */
export function utilizationPath(readings: readonly Reading[], until: number, width: number, height: number): { line: string; area: string } | null {
  const from = until - READINGS_KEPT;
  const points = readings.filter(({ at }) => at >= from && at <= until).map(({ at, utilization }) => ({
    x: ((at - from) / READINGS_KEPT) * width, y: 1 + (height - 2) * (1 - Math.min(1, Math.max(0, utilization))),
  }));
  const [first, last] = [points[0], points[points.length - 1]];
  if (!first || !last || points.length < 2) return null;
  const line = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return { line, area: `${line}L${last.x.toFixed(1)} ${height}L${first.x.toFixed(1)} ${height}Z` };
}
