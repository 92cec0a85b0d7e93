// The list of runs that a filter selects, over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { tracking } from "../../src/api/tracking";
import type { Run } from "../../src/api/types";
import { NEWEST, RunsStore } from "../../src/store/runlist";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

const run = (at: number, state: Run["state"] = "running", more: Partial<Run> = {}): Run =>
  ({ id: `r${at}`, name: `r${at}`, project: "p", state, created_at: at, trial: null, tags: [], config: {}, summary: {}, points: 0, ...more }) as Run;

/** What the server holds. A filter is a state's name here. */
let held: Run[] = [];
let asked: string[] = [];
const matching = (q: string) => held.filter(({ state }) => q === "" || state === q);

tracking.runs = async (_project, { q, sort }, limit, cursor) => {
  asked.push(`${q}/${sort}/${limit}/${cursor}`);
  if (q === "wrong") throw new ApiError(400, "filter", "Not understood.");
  const found = q.startsWith("id in") ? held.filter(({ id }) => q.includes(id)) : matching(q);
  found.sort((a, b) => (sort === NEWEST ? b.created_at - a.created_at : a.name < b.name ? -1 : 1));
  const from = Number(cursor ?? 0);
  return { items: found.slice(from, from + limit), next: from + limit < found.length ? String(from + limit) : null };
};
tracking.count = async (_project, { q }) => ({ total: matching(q).length, states: { running: held.filter(({ state }) => state === "running").length } });

async function list(all: Run[], q = "", sort = NEWEST): Promise<RunsStore> {
  held = all;
  asked = [];
  live.start();
  FakeSocket.last.open();
  const store = new RunsStore("p", { q, sort, archived: false });
  FakeSocket.last.tell({ type: "subscribed", id: FakeSocket.last.asked[0]!["id"], seq: 1 });
  await clock.pass(100);
  return store;
}

function end(store: RunsStore): void {
  store.close();
  live.stop();
}

const tell = (message: Record<string, unknown>) => FakeSocket.last.tell({ id: FakeSocket.last.asked[0]!["id"], seq: 2, ...message });
const ids = (store: RunsStore) => store.state.value.runs.map(({ id }) => id).join(" ");

test("a page is read, with how many there are; the next one when it is asked for", async () => {
  const store = await list(Array.from({ length: 650 }, (_, i) => run(i, i % 2 === 0 ? "running" : "finished")));
  const { runs, more, all, found, complete } = store.state.value;
  assert.deepEqual([runs.length, more, all?.total, all?.states.running, found?.total, complete], [200, true, 650, 325, 650, true]);
  await store.more();
  assert.deepEqual([store.state.value.runs.length, store.state.value.more], [650, false]);
  assert.equal(new Set(store.state.value.runs.map(({ id }) => id)).size, 650);
  end(store);
});

test("another question keeps the rows until its answer comes; a wrong one keeps them for good", async () => {
  const store = await list([run(1), run(2, "finished"), run(3)]);
  store.ask({ q: "finished", sort: NEWEST, archived: false });
  assert.equal(ids(store), "r3 r2 r1");
  await clock.pass(10);
  assert.equal(ids(store), "r2");
  assert.deepEqual([store.state.value.all?.total, store.state.value.found?.total], [3, 1]);
  store.ask({ q: "wrong", sort: NEWEST, archived: false });
  await clock.pass(10);
  assert.equal(ids(store), "r2");
  assert.equal(store.follow.error.value?.message, "Not understood.");
  assert.equal(store.state.value.reading, false);
  end(store);
});

test("without a filter a new run is on top at once; counts follow", async () => {
  const store = await list([run(1)]);
  held = [...held, run(2)];
  tell({ type: "run", run: run(2) });
  await clock.pass(50);
  assert.equal(ids(store), "r2 r1");
  assert.equal(store.state.value.all?.total, 1);
  await clock.pass(1500);
  assert.equal(store.state.value.all?.total, 2);
  end(store);
});

test("with a filter the server says what belongs: a run that no longer matches leaves, many changes are one reading", async () => {
  const store = await list([run(1), run(2)], "running");
  asked = [];
  held = [run(1, "finished"), run(2)];
  for (let i = 0; i < 20; i++) tell({ type: "run", run: run(1, "finished") });
  tell({ type: "run", run: run(9, "finished") });
  await clock.pass(50);
  assert.equal(ids(store), "r2 r1");
  assert.equal(store.state.value.byId.get("r1")?.state, "finished");
  await clock.pass(1500);
  assert.equal(ids(store), "r2");
  assert.equal(asked.length, 1);
  end(store);
});

test("deleted, archived and moved runs leave", async () => {
  const store = await list([run(1), run(2), run(3), run(4)]);
  tell({ type: "deleted", run: "r2" });
  tell({ type: "run", run: run(3, "running", { archived_at: 5 }) });
  tell({ type: "run", run: run(4, "running", { project: "other" }) });
  await clock.pass(50);
  assert.equal(ids(store), "r1");
  end(store);
});

test("runs that the filter leaves out are known when they are wanted", async () => {
  const store = await list([run(1), run(2, "finished")], "running");
  await store.want(["r2", "r1"]);
  assert.equal(ids(store), "r1");
  assert.equal(store.state.value.byId.get("r2")?.state, "finished");
  end(store);
});
