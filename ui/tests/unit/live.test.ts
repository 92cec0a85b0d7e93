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
