import assert from "node:assert/strict";
import test from "node:test";
import { live } from "../../src/api/live";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

test("a connection that is closed soon after its greeting is tried less and less often", async () => {
  live.start();
  for (const wait of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
    const before = FakeSocket.all.length;
    FakeSocket.last.open();
    await clock.pass(100);
    FakeSocket.last.end(4400);
    await clock.pass(wait - 1);
    assert.equal(FakeSocket.all.length, before, `tried again within ${wait} ms`);
    await clock.pass(1);
    assert.equal(FakeSocket.all.length, before + 1, `not tried again after ${wait} ms`);
  }
});

test("after a connection that held, the next try comes at once again", async () => {
  FakeSocket.last.open();
  await clock.pass(5000);
  const before = FakeSocket.all.length;
  FakeSocket.last.end(1006);
  await clock.pass(250);
  assert.equal(FakeSocket.all.length, before + 1);
  live.stop();
});

test("an error for one subscription is told to it alone, and the connection stays", async () => {
  live.start();
  FakeSocket.last.open();
  const told: string[] = [];
  live.subscribe(() => ({ topic: "points" }), { error: ({ code }) => told.push(`one ${code}`) });
  live.subscribe(() => ({ topic: "runs" }), { error: ({ code }) => told.push(`two ${code}`) });
  const id = FakeSocket.last.asked[0]!["id"];
  const before = FakeSocket.all.length;
  FakeSocket.last.tell({ type: "error", id, error: { code: "unprocessable", message: "Too many." } });
  await clock.pass(10_000);
  assert.deepEqual(told, ["one unprocessable"]);
  assert.equal(FakeSocket.all.length, before);
  live.stop();
});

/** What was asked for last on this connection. */
const asked = () => FakeSocket.last.asked[FakeSocket.last.asked.length - 1]!;

/** A subscription to a project's runs, with how often it was told to read. */
function watched(): { id: () => unknown; reads: () => number; subscription: ReturnType<typeof live.subscribe>; heard: string[] } {
  let reads = 0;
  const heard: string[] = [];
  const subscription = live.subscribe(() => ({ topic: "runs" }), {
    subscribed: () => void reads++,
    message: (message) => void heard.push(message.type),
  });
  return { id: () => asked()["id"], reads: () => reads, subscription, heard };
}

test("after a loss a state that was read is gone on with, and not read again", async () => {
  live.start();
  const { id, reads, subscription, heard } = watched();
  FakeSocket.last.open();
  assert.equal(asked()["since"], undefined);
  FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 10, epoch: "first", resumed: false });
  assert.equal(reads(), 1);
  subscription.settle();
  FakeSocket.last.tell({ type: "run", id: id(), seq: 12, run: {} });
  FakeSocket.last.tell({ type: "ping", seq: 15 });
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
  const again = asked();
  assert.deepEqual([again["since"], again["epoch"]], [15, "first"]);
  // A ping that comes before the answer says nothing of this subscription.
  FakeSocket.last.tell({ type: "ping", seq: 40 });
  FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 15, epoch: "first", resumed: true });
  assert.equal(reads(), 1);
  FakeSocket.last.tell({ type: "run", id: id(), seq: 17, run: {} });
  assert.deepEqual(heard, ["run", "run"]);
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
  assert.equal(asked()["since"], 17);
  subscription.close();
  live.stop();
});

test("what the server cannot go on with is read again", async () => {
  live.start();
  const { id, reads, subscription } = watched();
  FakeSocket.last.open();
  FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 10, epoch: "first", resumed: false });
  subscription.settle();
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
  FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 3, epoch: "second", resumed: false });
  FakeSocket.last.tell({ type: "reset", id: id() });
  assert.equal(reads(), 2);
  // It was not read yet: nothing can be gone on with.
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
  assert.equal(asked()["since"], undefined);
  FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 4, epoch: "second", resumed: false });
  subscription.settle();
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
  assert.deepEqual([asked()["since"], asked()["epoch"]], [4, "second"]);
  subscription.close();
  live.stop();
});

test("a state that is to be read again, or was asked for anew, or read without a line, is not gone on with", async () => {
  live.start();
  const { id, subscription } = watched();
  const spoil: (() => void)[] = [
    () => FakeSocket.last.tell({ type: "changed", id: id(), runs: ["a"] }),
    () => subscription.renew(),
  ];
  for (const damage of spoil) {
    FakeSocket.last.open();
    FakeSocket.last.tell({ type: "subscribed", id: id(), seq: 10, epoch: "first", resumed: false });
    subscription.settle();
    damage();
    FakeSocket.last.end(1006);
    subscription.settle();
    await clock.pass(8000);
    FakeSocket.last.open();
    assert.equal(asked()["since"], undefined);
    FakeSocket.last.end(1006);
    await clock.pass(8000);
  }
  subscription.close();
  live.stop();
});
