import assert from "node:assert/strict";
import test from "node:test";
import type { SweepAnalysis } from "../../src/api/analysis";
import type { Trial } from "../../src/api/types";
import { curveOf, distributionState, sharesOf, toldCurve } from "../../src/store/distribution";
import { pairOf, rankState, ranksOf } from "../../src/store/ranks";

function trial(number: number, objective: Trial["objective"], more: Partial<Trial> = {}): Trial {
  return {
    number, state: "complete", run: `r${number}`, run_name: `run ${number}`, run_state: "finished", params: {}, objective,
    reason: null, created_at: 0, started_at: null, ended_at: null, metrics: null, attempts: 1, ...more,
  };
}

const trials = [trial(0, 3), trial(1, 1), trial(2, 2), trial(3, 2), trial(4, 5), trial(5, 0, { state: "pruned" }), trial(6, "NaN")];
const loss = { name: "loss", maximise: false, of: "best" };

test("ranks go from the best at 0 to the worst at 1, and equals share the middle of their places", () => {
  assert.deepEqual([...ranksOf(trials, 0, false)].sort(([a], [b]) => a - b), [[0, 0.75], [1, 0], [2, 0.375], [3, 0.375], [4, 1]]);
  assert.equal(ranksOf(trials, 0, true).get(4), 0);
  assert.deepEqual([...ranksOf([trial(7, 4)], 0, false)], [[7, 0]]);
});

test("a trial's share is how many are at least as good", () => {
  assert.deepEqual([...sharesOf(trials, 0, false)].sort(([a], [b]) => a - b), [[0, 0.8], [1, 0.2], [2, 0.6], [3, 0.6], [4, 1]]);
  assert.equal(sharesOf(trials, 0, true).get(1), 1);
  assert.equal(sharesOf([], 0, false).size, 0);
});

test("the line of a distribution rises from the best value to the whole, to whichever side that lies", () => {
  assert.deepEqual(curveOf([{ x: 3, y: 1 }, { x: 1, y: 0.5 }], false), [{ x: 1, y: 0 }, { x: 1, y: 0.5 }, { x: 3, y: 1 }]);
  assert.deepEqual(curveOf([{ x: 3, y: 0.5 }, { x: 1, y: 1 }], true), [{ x: 1, y: 1 }, { x: 3, y: 0.5 }, { x: 3, y: 0 }]);
  assert.deepEqual(curveOf([], true), []);
  const told = { distribution: { metric: [1, 2, "Infinity"], share: [0.25, 0.5, 1] } } as unknown as SweepAnalysis;
  assert.deepEqual(toldCurve(told, false), [{ x: 1, y: 0 }, { x: 1, y: 0.25 }, { x: 2, y: 0.5 }]);
});

test("the chart of shares holds each complete trial at its value", () => {
  const state = distributionState(trials, loss, 0, false, new Set([1]), { name: "other", points: [{ x: -1, y: 0 }, { x: 2, y: 1 }] });
  assert.deepEqual(state.points.map(({ number, x, y, isDim }) => [number, x, y, isDim]),
    [[0, 3, 0.8, true], [1, 1, 0.2, false], [2, 2, 0.6, true], [3, 2, 0.6, true], [4, 5, 1, true]]);
  assert.equal(state.points[0]!.height, "80 % of the trials");
  assert.deepEqual([state.line!.form, state.line!.points.length, state.other!.points.length], ["across", 6, 2]);
  assert.equal(distributionState([], loss, 0, false, null, null).line, null);
  // What has no place on a logarithmic axis is left out.
  assert.equal(distributionState(trials, loss, 0, true, null, { name: "other", points: [{ x: -1, y: 0 }, { x: 2, y: 1 }] }).other!.points.length, 1);
});

const lr = { name: "lr", kind: "real", min: 1e-4, max: 1e-1, distribution: "log_uniform_values" };
const kind = { name: "kind", kind: "categorical", values: ["a", "b"] };

test("trials over two parameters have the colour of their rank; one without a value of either is left out", () => {
  const rows = [trial(0, 3, { params: { lr: 0.01, kind: "b" } }), trial(1, 1, { params: { lr: 0.1, kind: "a" } }), trial(2, 2, { params: { lr: 0.1 } })];
  const state = rankState(lr, kind, rows, loss, 0, null);
  assert.deepEqual(state.points.map(({ number, x, y, heat, height }) => [number, x, y, heat, height]), [[0, 0.01, 1, 1, "b"], [1, 0.1, 0, 0, "a"]]);
  assert.deepEqual([state.x.log, state.x.classes, state.y.log, state.y.classes!.map(({ label }) => label)], [true, null, false, ["a", "b"]]);
  assert.ok(Math.abs(state.x.domain![0] - 1e-4) < 1e-12);
});

test("the pair is that of the address, or what matters most together, or alone, or the first two", () => {
  const names = ["a", "b,c", "d"];
  const found = (interactions: object[], parameters: object[]) => ({ importance: { interactions, parameters } }) as unknown as SweepAnalysis;
  assert.deepEqual(pairOf("d,b%2Cc", names, null), ["d", "b,c"]);
  assert.deepEqual(pairOf("d,d", names, null), ["a", "b,c"]);
  assert.deepEqual(pairOf("%,gone", names, found([{ first: "d", second: "a" }], [])), ["d", "a"]);
  assert.deepEqual(pairOf(null, names, found([], [{ name: "d" }, { name: "b,c" }])), ["d", "b,c"]);
  assert.deepEqual(pairOf(null, ["a"], null), ["", ""]);
});
