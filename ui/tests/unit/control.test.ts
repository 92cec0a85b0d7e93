import assert from "node:assert/strict";
import test from "node:test";
import type { Attempt, Trial } from "../../src/api/types";
import { attemptFacts } from "../../src/store/attemptfacts";
import { type Goal, asFilter, fitting } from "../../src/store/palette";
import { readSpan } from "../../src/store/spans";
import { stopStage } from "../../src/store/stops";
import { firstFailure } from "../../src/store/sweeps";
import { trialNote } from "../../src/store/trialnote";
import { holding, waiting } from "./pools";

test("a span of time is read as people write it", () => {
  assert.deepEqual(["90", "90s", " 1h 30m ", "1.5d", "2w", ""].map(readSpan), [90, 90, 5400, 129_600, 1_209_600, null]);
  for (const wrong of ["0", "h", "5x", "-3s", "1h30", "soon"]) assert.equal(readSpan(wrong), undefined, wrong);
});

test("stopping is asking until the last grace period is over, then killing", () => {
  const times = [{ asked: 10, kill: 20 }, { asked: 12, kill: 25 }];
  assert.deepEqual(stopStage(times, 15), { asked: 10, kill: 25, stage: "asked" });
  assert.deepEqual(stopStage(times, 25), { asked: 10, kill: 25, stage: "killed" });
  assert.deepEqual(stopStage([{ asked: null, kill: null }], 99), { asked: null, kill: null, stage: "asked" });
});

const trial = (number: number, state: Trial["state"], reason: string | null, changes: Partial<Trial> = {}): Trial => ({
  number, state, reason, objective: null, run: `r${number}`, run_name: null, run_state: null, params: {}, created_at: 0, started_at: null, ended_at: null,
  metrics: null, attempts: 1, ...changes,
});

test("the failure that a pause tells of is the first after the last success", () => {
  const trials = [trial(0, "failed", "Boom."), trial(1, "complete", null), trial(2, "failed", "Boom."), trial(3, "failed", "Boom."), trial(4, "failed", "Bang.")];
  assert.equal(firstFailure(trials, "Boom")?.number, 2);
  assert.equal(firstFailure(trials, "Bang.")?.number, 4);
  assert.equal(firstFailure(trials, "Else."), null);
});

test("a trial's note says why it waits, what it was asked, how it ended and what is odd", () => {
  assert.equal(trialNote(trial(0, "waiting", null), waiting("r0", { position: 2 })), "The second in line. All 2 CPU slots are taken.");
  assert.equal(trialNote(trial(0, "running", null), holding("r0")), "");
  assert.equal(trialNote(trial(0, "running", null), holding("r0", { asked: "stop" })), "It was asked to end.");
  assert.equal(trialNote(trial(0, "complete", null, { issues: ["The loss rose at the end"] }), null), "The loss rose at the end.");
  assert.equal(trialNote(trial(0, "failed", "Exited with code 3"), null), "Exited with code 3.");
});

test("an attempt tells what it used and why it did not succeed, and nothing that is not known", () => {
  const attempt: Attempt = {
    number: 1, state: "failed", created_at: 0, started_at: 0, ended_at: 5, exit: null, pid: null, devices: null, dir: null,
  };
  assert.deepEqual(attemptFacts(attempt), []);
  assert.deepEqual(attemptFacts({ ...attempt, fault: "oom", devices: [0, 3], peak_memory: 2 ** 31, cpu_seconds: 12.4, stop_requested_at: 3 }),
    ["out of memory", "GPU 0, 3", "at most 2 GiB of memory", "12 s of CPU"]);
  const limits = { memory: 2 ** 32, memory_by: "cgroup v2", cpus: 2 };
  assert.deepEqual(attemptFacts({ ...attempt, peak_memory: 2 ** 31, cpu_seconds: 1, limits }),
    ["at most 2 GiB of memory, 4 GiB allowed (cgroup v2)", "1 s of CPU on 2"]);
  assert.deepEqual(attemptFacts({ ...attempt, ended_at: null, stop_requested_at: 3 }), ["asked to end"]);
});

const goal = (kind: string, title: string, detail = ""): Goal => ({ key: `${kind} ${title}`, kind, title, detail, to: "/" });

test("the palette shows first what begins with what was written", () => {
  const goals = [goal("page", "Pool"), goal("GPU", "GPU 1", "RTX 4090"), goal("GPU", "GPU 12", "RTX 4090"), goal("run", "big-gpu-1"), goal("sweep", "warm-up")];
  assert.deepEqual(fitting(goals, "gpu 1", 9).map(({ title }) => title), ["GPU 1", "GPU 12", "big-gpu-1"]);
  assert.deepEqual(fitting(goals, "u", 2).map(({ title }) => title), ["warm-up", "GPU 1"]);
  assert.equal(fitting(goals, "", 9).length, 5);
  assert.deepEqual(fitting(goals, "nothing", 9), []);
});

test("what was written is a text of the filter language, whatever is in it", () => {
  assert.equal(asFilter(' say "a\\b" '), '"say \\"a\\\\b\\""');
});
