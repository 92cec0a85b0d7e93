import assert from "node:assert/strict";
import test from "node:test";
import type { Sweep, Trial } from "../../src/api/types";
import type { SweepAnalysis } from "../../src/api/analysis";
import { ApiError } from "../../src/api/client";
import { AnalysisStore } from "../../src/store/analysis";
import { frontOf, isFeasible, markOf, objectivesOf, valueOf } from "../../src/store/objectives";
import { searchFacts } from "../../src/pages/sweep/MethodCard";
import { readCount } from "../../src/pages/sweep/SweepSettings";
import { axesOf, both as held, coloursBy, dimensionsOf, fanned, keptBy, placesOf, topOf } from "../../src/store/parallel";
import { chosenParameters, pointOf, textsOf } from "../../src/store/points";
import { bestSoFar, recentFailures } from "../../src/store/sweeps";
import { trialLanes } from "../../src/store/triallanes";
import { FakeClock, settle } from "./fakes";

function trial(number: number, more: Partial<Trial>): Trial {
  return {
    number, state: "complete", run: `r${number}`, run_name: `run ${number}`, run_state: "finished", params: {}, objective: null,
    reason: null, created_at: 0, started_at: null, ended_at: null, metrics: null, attempts: 1, ...more,
  };
}

const lr = { name: "lr", kind: "real", min: 0, max: 1, distribution: "uniform" };
const kind = { name: "kind", kind: "categorical", values: ["a", "b"] };
const both = [{ name: "loss", maximise: false, of: "best" }, { name: "accuracy", maximise: true, of: "best" }];
const plain = (id: string) => ({ id, scale: null, turned: false, hidden: false });

test("the objectives of a sweep are those of its search, or its metric alone, or none", () => {
  const search = { objectives: [{ name: "loss", goal: "minimize", of: "last" }, { name: "acc", goal: "maximize", of: "best" }] };
  const metric = { name: "loss", goal: "minimize" };
  assert.deepEqual(objectivesOf({ search, metric } as Sweep).map(({ name, maximise }) => [name, maximise]), [["loss", false], ["acc", true]]);
  assert.deepEqual(objectivesOf({ metric } as Sweep), [{ name: "loss", maximise: false, of: "best" }]);
  assert.deepEqual(objectivesOf({ metric: null } as Sweep), []);
});

test("a trial that misses a constraint is marked so, is no best and not on the front", () => {
  const trials = [
    trial(0, { objective: 0.5, other_objectives: [0.7] }), trial(1, { objective: 0.1, other_objectives: [0.9], violations: [-1, 0.2] }),
    trial(2, { objective: 0.4, other_objectives: [0.6], violations: [0] }), trial(3, { objective: 0.6, other_objectives: [0.7] }),
    trial(4, { objective: 0.2, other_objectives: ["NaN"] }), trial(5, { state: "pruned", objective: 0.01, other_objectives: [1] }),
  ];
  assert.equal(isFeasible(trials[1]!), false);
  assert.equal(markOf(trials[1]!), "infeasible");
  assert.equal(markOf(trials[5]!), "pruned");
  assert.equal(valueOf(trials[2]!, 1), 0.6);
  assert.deepEqual(bestSoFar(trials, false), [{ number: 0, best: 0.5 }, { number: 2, best: 0.4 }, { number: 3, best: 0.4 }, { number: 4, best: 0.2 }]);
  assert.deepEqual([...frontOf(trials, both)].sort(), [0, 2]);
});

test("equal trials are on the front together", () => {
  const trials = [trial(0, { objective: 1, other_objectives: [1] }), trial(1, { objective: 1, other_objectives: [1] })];
  assert.deepEqual([...frontOf(trials, both)].sort(), [0, 1]);
});

test("axes are the parameters with several values, then the objectives; a brush keeps its meaning when its axis is turned", () => {
  const dimensions = dimensionsOf([lr, { name: "epochs", kind: "constant", values: [3] }, { ...kind, name: "@0" }], both);
  assert.deepEqual(dimensions.map(({ id }) => id), ["lr", "@@0", "@0", "@1"]);
  const trials = [0.1, 0.5, 0.9].map((value, i) => trial(i, { params: { lr: value }, objective: i }));
  const brushes = new Map([["lr", { from: 0.4, to: 1 }]]);
  const straight = axesOf(dimensions, [plain("lr"), plain("@0")], trials, brushes);
  const over = axesOf(dimensions, [{ ...plain("lr"), turned: true }, plain("@0")], trials, brushes);
  assert.deepEqual([...keptBy(straight, 3)!], [0, 1, 1]);
  assert.deepEqual([...keptBy(over, 3)!], [0, 1, 1]);
  assert.ok(Math.abs(over[0]!.brush!.to - 0.6) < 1e-9);
  assert.equal(keptBy(axesOf(dimensions, [plain("lr")], trials, new Map()), 3), null);
});

test("a trial without a value has no height, and no brush on that axis holds it", () => {
  const dimensions = dimensionsOf([lr], []);
  const axes = axesOf(dimensions, [plain("lr")], [trial(0, {}), trial(1, { params: { lr: 0 } })], new Map([["lr", { from: 0, to: 1 }]]));
  assert.ok(Number.isNaN(axes[0]!.heights[0]!));
  assert.deepEqual([...keptBy(axes, 2)!], [0, 1]);
});

test("colours go by rank over an objective and by class over words; the best of a class lies highest", () => {
  const trials = [3, 1, 2].map((objective, i) => trial(i, { objective, params: { kind: i === 1 ? "b" : "a" } }));
  const dimensions = dimensionsOf([kind], [both[0]!]);
  assert.deepEqual([...coloursBy(dimensions[1]!, trials, null).shares], [1, 0, 0.5]);
  assert.deepEqual([...placesOf(Float64Array.of(1, NaN, 3), true)], [1, NaN, 0]);
  const words = coloursBy(dimensions[0]!, trials, null);
  assert.deepEqual([...words.shares], [0, 1, 0]);
  assert.deepEqual(words.classes, [{ slot: 0, word: "a" }, { slot: 1, word: "b" }]);
  const [fan] = fanned(axesOf(dimensions, [plain("kind")], trials, new Map()), placesOf(Float64Array.of(3, 1, 2), false));
  assert.ok(fan!.heights[2]! > fan!.heights[0]!);
});

test("the best part of the trials is one trial at least, and none without a value; with a brush both must hold it", () => {
  const values = Float64Array.of(3, NaN, 1, 2, 5);
  assert.deepEqual([...topOf(values, false, 50)!], [0, 0, 1, 1, 0]);
  assert.deepEqual([...topOf(values, true, 1)!], [0, 0, 0, 0, 1]);
  assert.equal(topOf(values, false, 100), null);
  assert.deepEqual([...topOf(Float64Array.of(NaN), false, 10)!], [0]);
  assert.deepEqual([...held(Uint8Array.of(1, 1, 0), Uint8Array.of(0, 1, 1))!], [0, 1, 0]);
  assert.equal(held(null, null), null);
});

test("a point by hand begins with a trial's values, and has the values that its texts mean", () => {
  const fixed = { name: "epochs", kind: "constant", values: [3] };
  const sum = { name: "sum", kind: "derived" };
  const sizes = { name: "size", kind: "ordinal", values: [8, 16, [1, 2]] };
  const sweep = { parameters: [lr, kind, fixed, sizes, sum] };
  assert.deepEqual(chosenParameters(sweep).map(({ name }) => name), ["lr", "kind", "size"]);
  const texts = textsOf(chosenParameters(sweep), trial(0, { params: { lr: 0.25, kind: "b", size: [1, 2], epochs: 3 } }));
  assert.deepEqual(texts, { lr: "0.25", kind: "b", size: "[1,2]" });
  assert.deepEqual(pointOf(sweep, texts), { lr: 0.25, kind: "b", epochs: 3, size: [1, 2] });
  // What is no number goes as it is: the server says what is wrong with it.
  assert.deepEqual(pointOf(sweep, { lr: "−1e-3", kind: "", size: "16" }), { lr: -0.001, epochs: 3, size: 16 });
  assert.deepEqual(pointOf(sweep, { lr: "much" }), { lr: "much", epochs: 3 });
});

test("a limit of trials is a whole number, not below those that there are, or nothing", () => {
  assert.deepEqual(["", " 12 ", "11", "1.5", "-3", "1e3"].map((text) => readCount(text, 12)), [null, 12, undefined, undefined, undefined, undefined]);
});

test("what else was asked of a search is said by name, and nothing where nothing was", () => {
  const search = { options: { eta: 3 }, constraints: [{ metric: "size", min: null, max: 5e6 }], soft_constraints: [{ metric: "p90", max: 3, weight: 2 }], warm_start: ["old"], target: 0 };
  assert.deepEqual(searchFacts({ search, seed: 7 } as unknown as Sweep), [
    ["Options", "eta 3"], ["Constraints", "size ≤ 5e6"], ["At a price", "p90 ≤ 3 (weight 2)"], ["Target", "0"], ["Learns from", "old"], ["Seed", "7"],
  ]);
  assert.deepEqual(searchFacts({ seed: null } as Sweep), []);
});

test("the analysis is read at once, then when trials have ended, at most every two seconds, and stays until the next is there", async () => {
  const clock = new FakeClock();
  const answers: ((found: SweepAnalysis | ApiError) => void)[] = [];
  const store = new AnalysisStore("s", 1, () => new Promise((good, bad) => {
    answers.push((found) => (found instanceof ApiError ? bad(found) : good(found)));
  }));
  const found = (ended: number) => ({ trials: { ended } }) as SweepAnalysis;
  store.follow("1");
  store.follow("1");
  assert.equal(answers.length, 1);
  answers[0]!(found(1));
  await settle();
  assert.equal(store.state.value?.trials.ended, 1);
  store.follow("2");
  store.follow("3");
  await clock.pass(1900);
  assert.equal(answers.length, 1);
  await clock.pass(200);
  assert.equal(answers.length, 2);
  assert.equal(store.state.value?.trials.ended, 1);
  answers[1]!(new ApiError(503, "unavailable", "It is away."));
  await settle();
  assert.equal(store.error.value?.message, "It is away.");
  assert.equal(store.state.value?.trials.ended, 1);
  store.read();
  answers[2]!(found(3));
  await settle();
  assert.equal(store.error.value, null);
  assert.equal(store.state.value?.trials.ended, 3);
  store.close();
  store.follow("4");
  await clock.pass(10_000);
  assert.equal(answers.length, 3);
});

test("trials lie in as few lanes as they need; one that runs lasts until now", () => {
  assert.equal(trialLanes([trial(0, {})], "p", "s", 9), null);
  const times = [[0, 4], [0, 2], [2, 6], [5, null]] as const;
  const found = trialLanes(times.map(([started_at, ended_at], number) => trial(number, { started_at, ended_at })), "p", "s", 10)!;
  assert.deepEqual(found.lanes.map(({ spans }) => spans.map((span) => span.trial)), [[0, 3], [1, 2]]);
  assert.deepEqual([found.window, found.use], [[0, 10], 15 / 20]);
});

test("how many of those that ended last failed, and why most of them did", () => {
  const ended = (number: number, state: Trial["state"], reason: string | null = null) => trial(number, { state, reason, ended_at: number });
  assert.equal(recentFailures([ended(1, "complete"), trial(2, { state: "running" })]), null);
  const old = Array.from({ length: 5 }, (_, i) => ended(i, "failed", "Long ago."));
  const last = [ended(10, "failed", "No memory."), ended(11, "failed", "No memory."), ended(12, "failed", "No disk."), ended(13, "failed")];
  const rest = Array.from({ length: 6 }, (_, i) => ended(20 + i, "complete"));
  assert.deepEqual(recentFailures([...old, ...last, ...rest]), { failed: 4, of: 10, reason: "No memory." });
});
