// The series store over a feed and an API that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { api } from "../../src/api/client";
import { live } from "../../src/api/live";
import { SeriesStore } from "../../src/store/series";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

/** What the server holds: of each run and metric, its points. */
const server = new Map<string, [number, number][]>();
/** What was asked of it over HTTP: runs, metrics, x axis. */
let asked: string[] = [];
let kind: "raw" | "buckets" = "raw";

api.series = async (runs, keys, { x, from } = {}, signal) => {
  asked.push(`${runs.join("+")} ${keys.join("+")}${x == null ? "" : ` over ${x}`}${from === undefined ? "" : " zoomed"}`);
  const found = runs.flatMap((run) => keys.map((key) => {
    const points = server.get(`${run} ${key}`) ?? [];
    const columns = {
      steps: points.map(([step]) => step), times: points.map(([step]) => step), values: points.map(([, value]) => value),
      last: points.map(([, value]) => value), x: points.map(([step]) => step / 10),
    };
    const filled = Object.entries(columns).map(([name, cells]) => [name, Float64Array.from(cells)] as const);
    return { run, key, count: points.length, n: points.length, kind, columns: new Map(filled) };
  }));
  await Promise.resolve();
  signal?.throwIfAborted();
  return found;
};

/** The server answers what was asked since the last time. */
async function answer(): Promise<void> {
  await clock.pass(100);
  const { asked: requests } = FakeSocket.last;
  FakeSocket.last.tell({ type: "subscribed", id: requests[requests.length - 1]!["id"], seq: 1 });
  await clock.pass(100);
}

interface Page {
  store: SeriesStore;
  id: number;
  /** The values that a chart of a run's metric would draw; null: nothing is known of it. */
  drawn(run: string, key: string, x?: string | null): number[] | null;
  close(): void;
}

/** A page that draws these runs. */
async function page(runs: string[], ended: (run: string) => string | null = () => null): Promise<Page> {
  live.start();
  FakeSocket.last.open();
  const store = new SeriesStore(ended);
  store.setRuns(runs);
  await clock.pass(0);
  asked = [];
  return {
    store,
    id: FakeSocket.last.asked[0]!["id"] as number,
    drawn: (run, key, x = null) => {
      const series = store.get(run, key, x);
      return series ? Array.from({ length: series.length }, (_, i) => series.last(i)) : null;
    },
    close: () => {
      store.close();
      live.stop();
      server.clear();
    },
  };
}

test("many runs are read in as many requests as their answers need", async () => {
  const runs = Array.from({ length: 1000 }, (_, i) => `r${i}`);
  const { store, drawn, close } = await page(runs);
  for (const run of runs) server.set(`${run} a`, [[1, 0.5]]);
  for (const key of ["a", "b", "c"]) store.need(key, null, () => {});
  await answer();
  await clock.pass(100);
  // 333 runs of three metrics in 2,000 buckets are the most of one answer.
  assert.deepEqual(asked.map((each) => each.split(" ")[0]!.split("+").length), [333, 333, 333, 1]);
  assert.deepEqual([drawn("r0", "a"), drawn("r999", "a")], [[0.5], [0.5]]);
  close();
});

test("what no chart shows any more is forgotten, and read no more", async () => {
  const { store, id, drawn, close } = await page(["a"], () => null);
  server.set("a loss", [[1, 0.5]]);
  const ends = [store.need("loss", null, () => {}), store.need("loss", "epoch", () => {})];
  await answer();
  assert.deepEqual([drawn("a", "loss"), drawn("a", "loss", "epoch")], [[0.5], [0.5]]);
  for (const end of ends) end();
  await clock.pass(6000);
  assert.deepEqual([drawn("a", "loss"), drawn("a", "loss", "epoch")], [null, null]);
  asked = [];
  FakeSocket.last.tell({ type: "names", id, runs: { 0: "a" }, keys: { 0: "loss" } });
  FakeSocket.last.points(id, 0, 0, [[2, 0.25]]);
  await clock.pass(6000);
  assert.deepEqual(asked, []);
  store.need("acc", null, () => {});
  await answer();
  assert.deepEqual(FakeSocket.last.asked.at(-1)!["keys"], ["acc"]);
  close();
});

test("a chart that comes back at once finds its series as it was", async () => {
  const { store, id, drawn, close } = await page(["a"]);
  server.set("a loss", [[1, 0.5]]);
  let told = 0;
  const end = store.need("loss", null, () => {});
  await answer();
  asked = [];
  end();
  await clock.pass(1000);
  store.need("loss", null, () => told++);
  FakeSocket.last.tell({ type: "names", id, runs: { 0: "a" }, keys: { 0: "loss" } });
  FakeSocket.last.points(id, 0, 0, [[2, 0.25]]);
  await clock.pass(6000);
  assert.deepEqual(drawn("a", "loss"), [0.5, 0.25]);
  assert.equal(told, 1);
  assert.deepEqual(asked, []);
  close();
});

test("runs that are no longer drawn are forgotten after a while", async () => {
  const { store, drawn, close } = await page(["a", "b"]);
  server.set("a loss", [[1, 0.5]]);
  server.set("b loss", [[1, 0.7]]);
  store.need("loss", null, () => {});
  await answer();
  store.setRuns(["b"]);
  await answer();
  assert.deepEqual(drawn("a", "loss"), [0.5]);
  await clock.pass(6000);
  assert.deepEqual([drawn("a", "loss"), drawn("b", "loss")], [null, [0.7]]);
  close();
});

test("a point that arrives while two readings overlap is in the picture", async () => {
  const { store, id, drawn, close } = await page(["a"]);
  store.need("loss", null, () => {});
  await answer();
  FakeSocket.last.tell({ type: "names", id, runs: { 0: "a" }, keys: { 0: "loss" } });
  const many = Array.from({ length: 12_001 }, (_, i): [number, number] => [i, i]);
  server.set("a loss", many);
  asked = [];
  FakeSocket.last.points(id, 0, 0, many); // so many that they are read anew, as buckets
  store.follow.read();
  FakeSocket.last.points(id, 0, 0, [[12_001, 7]]);
  await clock.pass(100);
  assert.deepEqual(asked, ["a loss", "a loss"]);
  assert.equal(drawn("a", "loss")!.length, 12_002);
  close();
});

/** A page over one ended run whose loss was read, and what it has ended as, to be changed. */
async function settled(x: string | null = null): Promise<Page & { row: { ended: string | null } }> {
  const row: { ended: string | null } = { ended: "finished 1" };
  const made = await page(["a"], () => row.ended);
  server.set("a loss", [[1, 0.5]]);
  made.store.need("loss", x, () => {});
  await answer();
  assert.deepEqual(made.drawn("a", "loss", x), [0.5]);
  FakeSocket.last.tell({ type: "names", id: made.id, runs: { 0: "a" }, keys: { 0: "loss" } });
  asked = [];
  return { ...made, row };
}

test("an ended run is not read again with each chart that comes, nor when its row changed in nothing that matters", async () => {
  const { store, close } = await settled();
  store.need("acc", null, () => {});
  await answer();
  store.look();
  await clock.pass(1000);
  assert.deepEqual(asked, ["a acc"]);
  close();
});

test("after a reconnect an ended run is read again", async () => {
  const { drawn, close } = await settled();
  FakeSocket.last.end(1006);
  server.set("a loss", [[1, 0.5], [2, 0.25]]);
  await clock.pass(1000);
  FakeSocket.last.open();
  await answer();
  assert.deepEqual(drawn("a", "loss"), [0.5, 0.25]);
  close();
});

test("an ended run whose row says that its points are others is read again, and then no more", async () => {
  const { store, row, drawn, close } = await settled();
  server.set("a loss", [[1, 0.7]]);
  row.ended = "finished 2";
  store.look();
  await clock.pass(100);
  assert.deepEqual(drawn("a", "loss"), [0.7]);
  store.look();
  await clock.pass(100);
  assert.deepEqual(asked, ["a loss"]);
  close();
});

test("a run that lives again is read again, over another metric too", async () => {
  for (const x of [null, "epoch"]) {
    const { store, id, row, drawn, close } = await settled(x);
    row.ended = null;
    server.set("a loss", [[1, 0.5], [2, 0.25]]);
    store.look();
    await clock.pass(100);
    assert.deepEqual(drawn("a", "loss", x), [0.5, 0.25]);
    server.set("a loss", [[1, 0.5], [2, 0.25], [3, 0.125]]);
    FakeSocket.last.points(id, 0, 0, [[3, 0.125]]);
    await clock.pass(3000);
    assert.deepEqual(drawn("a", "loss", x), [0.5, 0.25, 0.125]);
    close();
  }
});

test("points of an ended run, from one that is synced late, are drawn over another metric", async () => {
  const { id, drawn, close } = await settled("epoch");
  server.set("a loss", [[1, 0.5], [2, 0.25]]);
  FakeSocket.last.points(id, 0, 0, [[2, 0.25]]);
  await clock.pass(3000);
  assert.deepEqual(drawn("a", "loss", "epoch"), [0.5, 0.25]);
  close();
});

test("what arrives while an ended run is being read leaves it unsettled", async () => {
  const { store, id, close } = await settled();
  FakeSocket.last.points(id, 0, 0, [[2, 0.25]]);
  store.follow.read();
  FakeSocket.last.points(id, 0, 0, [[3, 0.125]]);
  await clock.pass(100);
  store.follow.read();
  await clock.pass(100);
  store.follow.read();
  await clock.pass(100);
  assert.deepEqual(asked, ["a loss", "a loss"]);
  close();
});

test("the part that is zoomed into is read again after a reconnect", async () => {
  const { store, drawn, close } = await page(["a"]);
  kind = "buckets";
  server.set("a loss", [[1, 0.5]]);
  store.need("loss", null, () => {});
  await answer();
  store.setWindow({ from: 0, to: 10 });
  await clock.pass(100);
  assert.deepEqual(asked, ["a loss", "a loss zoomed"]);
  FakeSocket.last.end(1006);
  server.set("a loss", [[1, 0.5], [2, 0.25]]);
  await clock.pass(1000);
  FakeSocket.last.open();
  await answer();
  assert.deepEqual(drawn("a", "loss"), [0.5, 0.25]);
  kind = "raw";
  close();
});
