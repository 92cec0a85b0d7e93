// A followed state: when it is whole, and what becomes of readings that fail or that nobody wants any more.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { Follow } from "../../src/store/follow";
import { FakeSocket, browser, settle } from "./fakes";

const clock = browser();

interface Reading {
  signal: AbortSignal;
  end(error?: ApiError): Promise<void>;
}

/** A state whose readings end when the test says so, on a new connection. */
function followed(): { follow: Follow; readings: Reading[] } {
  live.start();
  FakeSocket.last.open();
  const readings: Reading[] = [];
  const follow = new Follow({
    request: () => ({ topic: "runs" }),
    read: (signal) => new Promise<void>((resolve, reject) => {
      readings.push({
        signal,
        end: (error) => {
          if (error) reject(error);
          else resolve();
          return settle();
        },
      });
    }),
  });
  return { follow, readings };
}

/** What was asked for last on this connection. */
const asked = () => FakeSocket.last.asked[FakeSocket.last.asked.length - 1]!;
const subscribed = (seq: number) =>
  FakeSocket.last.tell({ type: "subscribed", id: asked()["id"], seq, epoch: "first", resumed: false });

/** Loses the line, and connects again. */
async function loseAndReturn(): Promise<void> {
  FakeSocket.last.end(1006);
  await clock.pass(8000);
  FakeSocket.last.open();
}

function end(follow: Follow): void {
  follow.close();
  live.stop();
}

test("a state whose last reading failed is read again after a loss, not gone on with", async () => {
  const { follow, readings } = followed();
  subscribed(10);
  await readings[0]!.end();
  follow.read();
  await readings[1]!.end(new ApiError(500, "internal", "Not now."));
  assert.equal(follow.error.value?.code, "internal");
  await loseAndReturn();
  assert.equal(asked()["since"], undefined);
  subscribed(20);
  assert.equal(readings.length, 3);
  await readings[2]!.end();
  assert.equal(follow.error.value, null);
  await loseAndReturn();
  assert.equal(asked()["since"], 20);
  end(follow);
});

test("while a state is read again it is not gone on with", async () => {
  const { follow, readings } = followed();
  subscribed(10);
  await readings[0]!.end();
  follow.read();
  await loseAndReturn();
  assert.equal(asked()["since"], undefined);
  end(follow);
});

test("a reading of what was asked for before does not make the new state whole", async () => {
  const { follow, readings } = followed();
  subscribed(10);
  follow.renew();
  assert.equal(readings[0]!.signal.aborted, true);
  await readings[0]!.end();
  await loseAndReturn();
  assert.equal(asked()["since"], undefined);
  end(follow);
});

test("a reading that ends before the server listens does not make the state whole", async () => {
  const { follow, readings } = followed();
  subscribed(10);
  await readings[0]!.end();
  follow.renew();
  // The answer does not come: the state is read without it.
  await clock.pass(1000);
  assert.equal(readings.length, 2);
  await readings[1]!.end();
  await loseAndReturn();
  assert.equal(asked()["since"], undefined);
  end(follow);
});

test("what the server gave up is not gone on with, whatever its pings say", async () => {
  const { follow, readings } = followed();
  subscribed(10);
  await readings[0]!.end();
  FakeSocket.last.tell({ type: "error", id: asked()["id"], error: { code: "internal", message: "Not read." } });
  FakeSocket.last.tell({ type: "ping", seq: 50 });
  await loseAndReturn();
  assert.equal(asked()["since"], undefined);
  end(follow);
});
