// The list of runs that a filter selects, over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { tracking } from "../../src/api/tracking";
import type { Run } from "../../src/api/types";
import { rowsOf } from "../../src/store/nests";
import { NEWEST, RunsStore } from "../../src/store/runlist";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

const run = (at: number, state: Run["state"] = "running", more: Partial<Run> = {}): Run =>
  ({ id: `r${at}`, name: `r${at}`, project: "p", state, created_at: at, trial: null, tags: [], config: {}, summary: {}, points: 0, ...more }) as Run;

/** What the server holds. A filter is a state's name here. */
let held: Run[] = [];
let asked: string[] = [];
const matching = (q: string) => held.filter(({ state }) => q === "" || state === q);

let down = false;
tracking.runs = async (_project, { q, sort, archived, parent, roots }, limit, cursor) => {
  asked.push(`${parent === undefined ? q : `in ${parent}`}/${sort}/${limit}/${cursor}`);
  if (down) throw new ApiError(503, "unavailable", "Not now.");
  if (q === "wrong") throw new ApiError(400, "filter", "Not understood.");
  const found = q.startsWith("id in") ? held.filter((each) => q.includes(`"${each.id}"`) && (archived === "any" || (each.archived_at != null) === archived))
    : parent !== undefined ? held.filter((each) => each.parent === parent)
      : matching(q).filter((each) => !roots || each.parent == null || !held.some(({ id }) => id === each.parent));
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

test("more rows that were refused, or could not be read, are read after the next read", async () => {
  const store = await list(Array.from({ length: 650 }, (_, i) => run(i)));
  store.follow.read();
  void store.more(); // while the first rows are read again
  await clock.pass(10);
  assert.equal(store.state.value.runs.length, 650);
  end(store);
  const other = await list(Array.from({ length: 900 }, (_, i) => run(i)));
  down = true;
  asked = [];
  for (let i = 0; i < 10; i++) await other.more();
  assert.equal(asked.length, 1);
  down = false;
  other.follow.read();
  await clock.pass(10);
  assert.equal(other.state.value.runs.length, 700);
  end(other);
});

test("all runs that are wanted are found, whatever their number, archived ones too", async () => {
  const old = Array.from({ length: 450 }, (_, i) => run(i, "finished", i % 2 === 0 ? { archived_at: 5 } : {}));
  const store = await list([...old, run(1000)], "running");
  await store.want(old.map(({ id }) => id));
  assert.equal(store.state.value.byId.size, 451);
  end(store);
});

test("an old run beyond the rows that were read moves nothing, and is not read about with each of its points", async () => {
  const store = await list(Array.from({ length: 650 }, (_, i) => run(i)));
  asked = [];
  for (let i = 0; i < 8; i++) {
    tell({ type: "run", run: run(3, "running", { points: i }) });
    await clock.pass(2500);
  }
  assert.equal(store.state.value.runs.length, 200);
  assert.equal(asked.length, 1);
  tell({ type: "run", run: run(3, "finished") });
  await clock.pass(2500);
  assert.equal(asked.length, 2);
  end(store);
});

test("of many rows the first are read again, and the others stay; after a lost line all are", async () => {
  const all = Array.from({ length: 2600 }, (_, i) => run(i));
  const store = await list(all);
  for (let i = 0; i < 4; i++) await store.more();
  assert.equal(store.state.value.runs.length, 2200);
  asked = [];
  tell({ type: "deleted", run: "r2599" });
  held = all.slice(0, -1);
  await clock.pass(2500);
  assert.deepEqual(asked, ["/-created/1000/null"]);
  assert.deepEqual([store.state.value.runs.length, new Set(store.state.value.runs.map(({ id }) => id)).size], [2199, 2199]);
  assert.equal(store.state.value.runs[2198]!.id, "r400");
  FakeSocket.last.end(1006);
  held = held.filter(({ id }) => id !== "r401");
  await clock.pass(10_000);
  FakeSocket.last.open();
  FakeSocket.last.tell({ type: "subscribed", id: FakeSocket.last.asked[0]!["id"], seq: 1 });
  await clock.pass(100);
  assert.equal(store.state.value.byId.has("r401"), false);
  end(store);
});

test("a read that takes long is not given up for the changes that come meanwhile", async () => {
  const quick = tracking.runs;
  const store = await list([run(1), run(2)], "running");
  let [begun, given] = [0, 0];
  tracking.runs = async (...args) => {
    begun++;
    args[4]?.addEventListener("abort", () => given++);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    return quick(...args);
  };
  held = [run(1), run(2), run(7)];
  for (let i = 0; i < 100; i++) {
    tell({ type: "run", run: run(1, "running", { points: i }) });
    await clock.pass(115);
  }
  assert.deepEqual([begun, given, ids(store)], [1, 0, "r7 r2 r1"]);
  tracking.runs = quick;
  end(store);
});

/** A root with two runs in it, one of which holds another, and a root beside it. */
const tree = () => [
  run(1, "finished", { children: 2 }), run(2, "running", { parent: "r1", children: 1 }), run(3, "finished", { parent: "r1" }),
  run(4, "running", { parent: "r2" }), run(5),
];
const shown = (store: RunsStore) => rowsOf(store.state.value.runs, store.state.value.nests)
  .map((row) => (row.kind === "run" ? `${" ".repeat(row.depth)}${row.run.id}${row.isAlone ? "^" : ""}` : `${" ".repeat(row.depth)}${row.state} ${row.left}`));

test("what is nested in a run is read when that is opened, to any depth, and forgotten when it is closed", async () => {
  const store = await list(tree());
  assert.deepEqual(shown(store), ["r5", "r1"]);
  asked = [];
  const opened = store.open(["r1"]);
  assert.deepEqual(shown(store), ["r5", "r1", " reading 0"]);
  await opened;
  assert.deepEqual([shown(store), asked], [["r5", "r1", " r3", " r2"], ["in r1/-created/100/null"]]);
  await store.open(["r1", "r2"]);
  assert.deepEqual(shown(store), ["r5", "r1", " r3", " r2", "  r4"]);
  assert.equal(store.state.value.byId.get("r4")?.name, "r4");
  await store.open(["r2"]);
  assert.deepEqual(shown(store), ["r5", "r1"]);
  end(store);
});

test("nested runs follow the feed: a new one comes below its run, one that is taken out stands alone", async () => {
  const store = await list(tree());
  await store.open(["r1"]);
  const [fresh, free] = [run(6, "running", { parent: "r1" }), run(3, "finished", { parent: null })];
  held = [...held.filter(({ id }) => id !== "r3"), fresh, free];
  tell({ type: "run", run: fresh });
  tell({ type: "run", run: free });
  tell({ type: "run", run: run(2, "finished", { parent: "r1", children: 1 }) });
  await clock.pass(50);
  assert.deepEqual(shown(store), ["r5", "r3", "r1", " r2"]);
  assert.equal(store.state.value.byId.get("r2")?.state, "finished");
  held = held.map((each) => (each.id === "r2" ? run(2, "finished", { parent: "r1", children: 1 }) : each));
  await clock.pass(2500);
  assert.deepEqual(shown(store), ["r5", "r3", "r1", " r6", " r2"]);
  tell({ type: "deleted", run: "r6" });
  await clock.pass(50);
  assert.deepEqual(shown(store), ["r5", "r3", "r1", " r2"]);
  end(store);
});

test("a nested run that logs is drawn anew, and nothing is read for it", async () => {
  const store = await list(tree());
  await store.open(["r1"]);
  asked = [];
  for (let i = 1; i <= 5; i++) {
    tell({ type: "run", run: run(2, "running", { parent: "r1", children: 1, points: i }) });
    await clock.pass(2500);
  }
  assert.equal(store.state.value.byId.get("r2")?.points, 5);
  // Once for the counts: where its state was not known before, these may be others.
  assert.ok(asked.length <= 1 && !asked.some((each) => each.startsWith("in ")), asked.join());
  end(store);
});

test("a filter's answer is flat; runs of which the other one is elsewhere are marked", async () => {
  const store = await list(tree());
  await store.open(["r1"]);
  store.ask({ q: "running", sort: NEWEST, archived: false });
  await clock.pass(10);
  assert.deepEqual(shown(store), ["r5", "r4^", "r2^"]);
  store.ask({ q: "", sort: "name", archived: false });
  await clock.pass(10);
  assert.deepEqual(shown(store), ["r1", " r2", " r3", "r5"]);
  end(store);
});

test("of many nested runs the first are read, then more, and what is not in the list is said", async () => {
  const many = Array.from({ length: 250 }, (_, i) => run(i + 10, "finished", { parent: "r1" }));
  const store = await list([run(1, "finished", { children: 250 }), run(2, "finished", { children: 3 }), ...many]);
  await store.open(["r1", "r2"]);
  assert.deepEqual(shown(store).slice(0, 3), ["r2", " none 0", "r1"]);
  assert.deepEqual([shown(store).length, shown(store)[103]], [104, " more 150"]);
  await store.moreOf("r1");
  assert.equal(shown(store).length, 253);
  end(store);
});
