// The compared runs over a feed and an API that the test plays: a few at a time, gone and back.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError, api } from "../../src/api/client";
import { live } from "../../src/api/live";
import { tracking } from "../../src/api/tracking";
import type { Run } from "../../src/api/types";
import { CompareStore } from "../../src/store/compare";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

let gone = new Set<string>();
let [under, most] = [0, 0];
const run = (id: string): Run => ({ id, name: `name ${id}`, project: "p", created_at: 1, trial: null }) as Run;
api.run = async (id) => {
  under++;
  most = Math.max(most, under);
  await new Promise((resolve) => setTimeout(resolve, 10));
  under--;
  if (gone.has(id)) throw new ApiError(404, "notFound", "No such run.");
  return run(id);
};
tracking.files = async (id) => ({ items: [], next: id === "r1" ? "more" : null });

async function open(ids: readonly string[]): Promise<CompareStore> {
  [gone, under, most] = [new Set(), 0, 0];
  live.start();
  FakeSocket.last.open();
  const store = new CompareStore(ids);
  FakeSocket.last.tell({ type: "subscribed", id: FakeSocket.last.asked[0]!["id"], seq: 1 });
  await clock.pass(500);
  return store;
}

const tell = (message: Record<string, unknown>) => FakeSocket.last.tell({ id: FakeSocket.last.asked[0]!["id"], seq: 2, ...message });
const ids = (store: CompareStore) => store.state.value.all.map((each) => each.run.id).join(" ");

test("runs are read a few at a time; whose files were cut is said", async () => {
  const store = await open(Array.from({ length: 30 }, (_, i) => `r${i}`));
  assert.equal(store.state.value.all.length, 30);
  assert.equal(most, 4);
  assert.deepEqual(store.state.value.cut, ["name r1"]);
  store.close();
  live.stop();
});

test("a run that is gone for ever leaves; one that is back is no longer missing", async () => {
  const store = await open(["a", "b"]);
  gone.add("a");
  tell({ type: "deleted", run: "a" });
  await clock.pass(500);
  assert.deepEqual([ids(store), store.state.value.missing], ["b", ["a"]]);
  gone.clear();
  tell({ type: "run", run: run("a") });
  await clock.pass(500);
  assert.deepEqual([ids(store), store.state.value.missing], ["a b", []]);
  store.close();
  live.stop();
});
