import assert from "node:assert/strict";
import test from "node:test";
import type { Run } from "../../src/api/types";
import { type Lane, PoolHistory, type Span, idleSince, layLanes, packed, plannedSpans, stepped, utilizationPath } from "../../src/store/lanes";
import { device, holding, pool, waiting } from "./pools";

const S = 1e6;
const span = (key: string, from: number, to: number | null, changes: Partial<Span> = {}): Span =>
  ({ key, run: key, name: key, project: "p", sweep: null, trial: null, devices: [], from, to, planned: null, state: "running", ...changes });
const keys = (lanes: readonly Span[][]) => lanes.map((lane) => lane.map(({ key }) => key).join(" "));

test("what is held goes on, and what is no longer held has ended", () => {
  const history = new PoolHistory();
  history.take(pool({ running: [holding("a", { since: 10 * S, devices: [0] }), holding("b", { since: 20 * S })] }), 30 * S);
  history.take(pool({ running: [holding("b", { since: 20 * S, expected_end: 90 * S })] }), 40 * S);
  assert.deepEqual(history.spans.map(({ key, to, planned, state }) => [key, to, planned, state]),
    [["a#1", 40 * S, null, "ended"], ["b#1", null, 90 * S, "running"]]);
  // The end as the server knows it is better than when the page saw it.
  history.remember([{ id: "a", name: "a", project: "p", attempt: 1, attempts: 1, started_at: 10 * S, ended_at: 38 * S, devices: [0], state: "failed" } as unknown as Run], 41 * S);
  assert.deepEqual([history.spans[0]!.to, history.spans[0]!.state], [38 * S, "failed"]);
});

test("another attempt of a run is a span of its own, and runs from outside are none", () => {
  const history = new PoolHistory();
  history.take(pool({ running: [holding("a", { attempt: 1 })] }), S);
  history.take(pool({ running: [holding("a", { attempt: 2, since: 2 * S })] }), 3 * S);
  history.remember([{ id: "x", attempts: 0, attempt: 0, started_at: 1, ended_at: 2, devices: null, state: "finished" } as unknown as Run], 3 * S);
  assert.deepEqual(history.spans.map(({ key }) => key), ["a#1", "a#2"]);
});

test("what lies long behind is forgotten", () => {
  const history = new PoolHistory();
  history.take(pool({ running: [holding("a")] }), S);
  history.take(pool(), 2 * S);
  history.take(pool(), 6 * 3600 * S);
  assert.deepEqual(history.spans, []);
});

test("readings are kept once each, for a quarter of an hour", () => {
  const history = new PoolHistory();
  const at = (seconds: number, utilization: number | null) => pool({
    devices: [device(0, { reading: { utilization, memory_used: null, temperature: null, power: null, at: seconds * S } })],
  });
  for (const [seconds, busy] of [[1, 0.5], [1, 0.5], [2, null], [3, 0.7], [950, 0.1]] as const) history.take(at(seconds, busy), seconds * S);
  assert.deepEqual(history.readings(0).map(({ at: when }) => when / S), [950]);
  assert.deepEqual(history.readings(1), []);
});

test("a GPU is idle since the first of the last readings without work, but not before it was reserved", () => {
  const readings = [[1, 0], [2, 0.9], [3, 0.02], [4, 0], [5, 0.01]].map(([at, utilization]) => ({ at: at! * S, utilization: utilization! }));
  assert.equal(idleSince(readings, 0), 3 * S);
  assert.equal(idleSince(readings, 3.5 * S), 4 * S);
  assert.equal(idleSince([...readings, { at: 6 * S, utilization: 0.5 }], 0), null);
  assert.equal(idleSince([], 0), null);
});

test("spans that overlap lie in lanes of their own, as high up as they fit", () => {
  assert.deepEqual(keys(packed([span("b", 5, 15), span("a", 0, 10), span("c", 10, 20), span("d", 16, null)])), ["a c", "b d"]);
  assert.deepEqual(keys(packed([])), [""]);
  // What goes on holds its lane, also when it has only just begun; what is planned as long as it is drawn.
  assert.deepEqual(keys(packed([span("a", 30, null), span("b", 30, null)])), ["a", "b"]);
  const planned = (key: string, from: number) => span(key, from, null, { state: "planned" });
  assert.deepEqual(keys(packed([planned("x", 0), planned("y", 4), planned("z", 5)], 5)), ["x z", "y"]);
});

test("each GPU has its lane, runs without GPUs and those who wait have theirs", () => {
  const state = pool({ devices: [device(0), device(1)], queue: [waiting("w", { starts_at: 40 * S }), waiting("late", { starts_at: 900 * S }), waiting("never")] });
  const spans = [span("both", 0, null, { devices: [0, 1] }), span("old", -90 * S, -80 * S, { devices: [0] }), span("cpu", 0, 5 * S)];
  const lanes = layLanes(state, spans, [-20 * S, 60 * S]);
  assert.deepEqual(lanes.map(({ title, spans: held }) => [title, held.map(({ run }) => run).join(" ")]),
    [["GPU 0", "both"], ["GPU 1", "both"], ["CPU", "cpu"], ["Next", "w"]]);
  assert.deepEqual(layLanes(pool(), [], [0, 1]).map(({ title }) => title), ["CPU"]);
  assert.deepEqual(plannedSpans(state.queue).map(({ run }) => run), ["w", "late"]);
});

test("arrows go along a lane and to the next lane that holds anything", () => {
  const [a, b, c] = [span("a", 0, 10), span("b", 20, 30), span("c", 18, 25)];
  const lanes: Lane[] = [{ id: "0", title: "GPU 0", spans: [a, b] }, { id: "1", title: "GPU 1", spans: [] }, { id: "2", title: "GPU 2", spans: [c] }];
  const at = (lane: number, one: Span) => ({ lane, span: one });
  assert.deepEqual(stepped(lanes, null, "ArrowRight"), at(0, b));
  assert.deepEqual(stepped(lanes, at(0, b), "ArrowLeft"), at(0, a));
  assert.deepEqual(stepped(lanes, at(0, a), "ArrowLeft"), at(0, a));
  assert.deepEqual(stepped(lanes, at(0, a), "ArrowDown"), at(2, c));
  assert.deepEqual(stepped(lanes, at(2, c), "ArrowUp"), at(0, b));
  assert.deepEqual(stepped(lanes, at(2, c), "ArrowDown"), at(2, c));
  assert.deepEqual(stepped(lanes, at(0, a), "End"), at(0, b));
  assert.equal(stepped(lanes, null, "x"), undefined);
  assert.equal(stepped([], null, "ArrowDown"), null);
});

test("the course of utilisation ends at the last reading, and one reading is no course", () => {
  const until = 900 * S;
  assert.equal(utilizationPath([{ at: until, utilization: 1 }], until, 160, 28), null);
  const path = utilizationPath([{ at: 0, utilization: 0 }, { at: until, utilization: 1 }], until, 160, 28)!;
  assert.equal(path.line, "M0.0 27.0L160.0 1.0");
  assert.equal(path.area, "M0.0 27.0L160.0 1.0L160.0 28L0.0 28Z");
});
