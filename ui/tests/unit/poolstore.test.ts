// The pool's store over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { poolAPI } from "../../src/api/pool";
import { tracking } from "../../src/api/tracking";
import type { Run } from "../../src/api/types";
import { PoolStore, queuedAs } from "../../src/store/pool";
import { FakeSocket, browser, settle } from "./fakes";
import { holding, pool, waiting } from "./pools";

const clock = browser();
let answer = pool();
let fails: ApiError | null = null;
let reads = 0;

poolAPI.pool = async () => {
  reads++;
  if (fails) throw fails;
  return answer;
};

async function opened(): Promise<{ store: PoolStore; id: unknown }> {
  live.start();
  const store = new PoolStore(() => clock.now * 1000);
  store.open();
  FakeSocket.last.open();
  const { id, topic } = FakeSocket.last.asked[FakeSocket.last.asked.length - 1]!;
  assert.equal(topic, "pool");
  FakeSocket.last.tell({ type: "subscribed", id, seq: 1, epoch: "e", resumed: false });
  await settle();
  return { store, id };
}

test("the pool is read, then told of", async () => {
  answer = pool({ running: [holding("a")] });
  const { store, id } = await opened();
  assert.deepEqual([reads, store.state.value?.running.length], [1, 1]);
  FakeSocket.last.tell({ type: "pool", id, seq: 2, pool: pool({ queue: [waiting("b", { position: 1 })] }) });
  assert.deepEqual([reads, store.state.value?.running.length, queuedAs(store.state.value, "b")?.position], [1, 0, 1]);
  assert.equal(queuedAs(store.state.value, "a"), null);
  assert.deepEqual(store.seen.spans.map(({ run, state }) => [run, state]), [["a", "ended"]]);
  store.close();
  assert.equal(store.state.value, null);
  live.stop();
});

test("what was told while it was read is newer than what was read", async () => {
  let go = () => {};
  const real = poolAPI.pool;
  poolAPI.pool = async () => {
    await new Promise<void>((resolve) => (go = resolve));
    return answer;
  };
  answer = pool({ running: [holding("old")] });
  const { store, id } = await opened();
  FakeSocket.last.tell({ type: "pool", id, seq: 2, pool: pool({ running: [holding("new")] }) });
  go();
  await settle();
  assert.deepEqual(store.state.value?.running.map(({ run }) => run), ["new"]);
  poolAPI.pool = real;
  store.close();
  live.stop();
});

test("a failure is told until a reading succeeds", async () => {
  fails = new ApiError(403, "forbidden", "This token may not read the pool.");
  const { store } = await opened();
  assert.deepEqual([store.error.value?.message, store.state.value], ["This token may not read the pool.", null]);
  fails = null;
  store.read();
  await settle();
  assert.deepEqual([store.error.value, store.state.value?.host], [null, "box"]);
  store.close();
  live.stop();
});

test("what ended is recalled at first, and when others run what ended since", async () => {
  const asked: string[] = [];
  const ended = (id: string, at: number) =>
    ({ id, name: id, attempt: 1, attempts: 1, started_at: 1, ended_at: at, devices: [0], state: "finished" }) as unknown as Run;
  tracking.runs = async (_project, { q }) => {
    asked.push(q);
    return { items: asked.length === 1 ? [ended("b", 2000), ended("a", 1000)] : [ended("c", 3000), ended("b", 2000)], next: null };
  };
  answer = pool();
  const { store, id } = await opened();
  const end = store.keepRecalling();
  await settle();
  assert.deepEqual(asked, ["ended>-4h"]);
  // Another reading of a device is no change of who runs.
  FakeSocket.last.tell({ type: "pool", id, seq: 2, pool: pool({ running: [holding("d")] }) });
  FakeSocket.last.tell({ type: "pool", id, seq: 3, pool: pool({ running: [holding("d")] }) });
  await clock.pass(5000);
  assert.deepEqual(asked, ["ended>-4h", "ended>=2000"]);
  assert.deepEqual(store.seen.spans.map(({ run }) => run).sort(), ["a", "b", "c", "d"]);
  FakeSocket.last.tell({ type: "pool", id, seq: 4, pool: pool({ running: [holding("d")] }) });
  await clock.pass(5000);
  end();
  FakeSocket.last.tell({ type: "pool", id, seq: 5, pool: pool() });
  await clock.pass(5000);
  assert.equal(asked.length, 2);
  store.close();
  live.stop();
});
