// The pool's store over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { poolAPI } from "../../src/api/pool";
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
