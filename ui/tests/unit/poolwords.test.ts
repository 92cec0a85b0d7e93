import assert from "node:assert/strict";
import test from "node:test";
import type { PoolPolicy } from "../../src/api/types";
import { FIELDS, readPolicy, writePolicy } from "../../src/store/policy";
import { changeWords, changesBack, policyChanges } from "../../src/store/poolchanges";
import {
  deviceNotes, deviceWord, expected, findQueued, formatMemory, meterWords, needsWords, pauseReason, policySentences, waitSentence,
} from "../../src/store/poolwords";
import type { Sweep } from "../../src/api/types";
import { device, holding, needs, pool, waiting } from "./pools";

const GiB = 2 ** 30;

test("the meter counts GPUs and who waits, and is silent where there is nothing to tell", () => {
  assert.equal(meterWords(null), null);
  assert.equal(meterWords(pool()), null);
  const busy = pool({ devices: [device(0, { used_slots: 1 }), device(1), device(2)], running: [holding("a"), holding("b")], queue: [waiting("c")] });
  assert.deepEqual(meterWords(busy), { short: "1/3", rest: " GPUs · 1 waiting", whole: "Pool: 1 of 3 GPUs in use, 2 runs running, 1 waiting" });
  assert.equal(meterWords(pool({ devices: [device(0)] }))?.short, "0/1");
  assert.deepEqual(meterWords(pool({ running: [holding("a")] })), { short: "1", rest: " running", whole: "Pool: 1 run running, 0 waiting" });
  assert.equal(meterWords(pool({ running: [holding("a")], queue: [waiting("b")], cpuSlots: 4 }))?.short, "1/4");
});

test("memory is counted as drivers do", () => {
  assert.deepEqual([24 * GiB, 1.5 * GiB, 512 * 2 ** 20, 141 * GiB, 0].map(formatMemory), ["24 GiB", "1.5 GiB", "512 MiB", "141 GiB", "0 MiB"]);
});

test("needs are told shortly", () => {
  assert.equal(needsWords(needs()), "a CPU slot");
  assert.equal(needsWords(needs({ gpus: 1, gpu_memory: 20 * GiB })), "1 GPU, 20 GiB");
  assert.equal(needsWords(needs({ gpus: 4, gpu_memory: 20 * GiB, same_host: false, memory: 8 * GiB })), "4 GPUs, 20 GiB each, in any machines, 8 GiB of memory");
  assert.equal(needsWords(needs({ gpus: 1, gpu_slots: 2, same_host: true })), "1 GPU, 2 slots");
});

test("what keeps others from a GPU comes before who holds it", () => {
  assert.equal(deviceWord(device(0)).word, "free");
  assert.equal(deviceWord(device(0, { used_slots: 1 })).word, "in use");
  assert.equal(deviceWord(device(0, { slots: 3, used_slots: 2 })).word, "2 of 3 slots");
  assert.equal(deviceWord(device(0, { foreign: true })).word, "used by others");
  assert.equal(deviceWord(device(0, { foreign: true, standing: "cordoned", used_slots: 1 })).word, "cordoned");
});

test("a GPU out of service says why, one of other people what was seen", () => {
  assert.deepEqual(deviceNotes(device(0)), []);
  assert.deepEqual(deviceNotes(device(0, { standing: "cordoned", standing_reason: "a loose cable" })), ["Out of service: a loose cable."]);
  assert.deepEqual(deviceNotes(device(0, { standing: "cordoned", standing_reason: "Cordoned by ann." })), ["Out of service. Cordoned by ann."]);
  assert.deepEqual(deviceNotes(device(0, { standing: "draining", holders: [holding("a")] })), ["Being emptied. Who holds it was asked to make room."]);
  const reading = { utilization: 0.71, memory_used: 6 * GiB, temperature: null, power: null, at: 1 };
  assert.deepEqual(deviceNotes(device(0, { foreign: true, reading })),
    ["Processes that are not Martlet's use it: 71 % busy, 6 GiB of 24 GiB taken. It is left alone until it is idle."]);
});

test("a wait is a place in the line and a reason", () => {
  assert.equal(waitSentence(waiting("a", { position: 1 })), "The first in line. All 2 CPU slots are taken.");
  assert.equal(waitSentence(waiting("a", { position: 17 })), "Number 17 in line. All 2 CPU slots are taken.");
  assert.equal(waitSentence(waiting("a", { position: 3, reason: "2 others are before it in the line." })), "The third in line.");
  assert.equal(waitSentence(waiting("a", { position: 2, reason: "Another is before it in the line. It needs 2 devices." })), "The second in line. It needs 2 devices.");
  assert.equal(waitSentence(waiting("a", { position: null, state: "pausing", reason: "It is tried again after a pause" })), "It is tried again after a pause.");
  assert.equal(waitSentence(waiting("a", { position: null, reason: "It is held back." })), "It is held back.");
  assert.equal(expected(10e6, 9.5e6), "any moment");
  assert.equal(expected(30.2e6, 9.5e6), "in about 21 s");
  assert.equal(expected(2 * 3600e6, 0), "in about 2 h 00 m");
  assert.equal(expected(100e6, 9.5e6), "in about 2 min");
});

test("the line is searched by name, needs and reason, all words at once", () => {
  const queue = [waiting("fast-fox", { needs: needs({ gpus: 4 }) }), waiting("slow-snail")];
  assert.equal(findQueued(queue, "  "), queue);
  assert.deepEqual(findQueued(queue, "FOX 4 gpus").map(({ run }) => run), ["fast-fox"]);
  assert.deepEqual(findQueued(queue, "cpu slots taken").length, 2);
  assert.deepEqual(findQueued(queue, "fox snail"), []);
});

test("the first failure is told apart from what it led to, with all its lines", () => {
  assert.deepEqual(pauseReason("3 trials in a row failed within 60 s. The first: Traceback:\n  boom"),
    { what: "3 trials in a row failed within 60 s.", first: "Traceback:\n  boom" });
  assert.deepEqual(pauseReason("Paused by local"), { what: "Paused by local", first: null });
  assert.deepEqual(pauseReason(null), { what: "", first: null });
});

const policy: PoolPolicy = pool().policy;

test("a policy in a form is the same policy, and each limit may be empty", () => {
  const texts = writePolicy(policy);
  assert.deepEqual([texts.balance, texts.foreign_utilization, texts.foreign_free_memory, texts.cpu_slots], ["80", "50", "7.8125", ""]);
  assert.deepEqual(readPolicy(texts, false), { policy, wrong: {} });
  assert.equal(readPolicy({ ...texts, memory: "1,5" }, true).policy?.memory, 1.5 * GiB);
  assert.deepEqual(policyChanges(policy, readPolicy({ ...texts, backfill: "4", cpu_slots: "2" }, true).policy!),
    { backfill: 4, cpu_slots: 2, group_equal_needs: true });
});

test("what is no number, or too large, is told at its field", () => {
  const texts = writePolicy(policy);
  for (const { name, hint } of FIELDS) {
    assert.ok(readPolicy({ ...texts, [name]: "x" }, false).wrong[name], name);
    assert.equal(readPolicy({ ...texts, [name]: "" }, false).policy === null, hint === undefined, name);
  }
  assert.deepEqual(Object.keys(readPolicy({ ...texts, balance: "101", backfill: "1.5" }, false).wrong), ["balance", "backfill"]);
});

test("the rules are sentences", () => {
  assert.equal(policySentences(policy)[0], "First come, first served: nobody overtakes.");
  const loose = policySentences({ ...policy, backfill: 4, group_equal_needs: true, cpu_slots: 1, memory: 48 * GiB });
  assert.ok(loose.includes("A request may pass one that came at most 4 requests before it."));
  assert.ok(loose.includes("At most 1 run without GPUs at a time."));
  assert.ok(loose.includes("All runs together may ask for at most 48 GiB."));
});

test("a change of a sweep is told, and undone by what was before", () => {
  const sweep = { max_parallel: 4, max_parallel_auto: false, timeout: null } as Sweep;
  assert.equal(changeWords({ max_parallel: 6, priority: 2 }), "6 at a time. Its priority is 2.");
  assert.equal(changeWords({ max_parallel: "auto", timeout: 90 }), "As many trials run as there is room for. A trial may take 1 m 30 s.");
  assert.deepEqual(changesBack(sweep, { max_parallel: 6, priority: 2, timeout: 60 }), { max_parallel: 4, priority: 0, timeout: null });
  assert.deepEqual(changesBack({ ...sweep, max_parallel_auto: true }, { max_parallel: 6 }), { max_parallel: "auto" });
});
