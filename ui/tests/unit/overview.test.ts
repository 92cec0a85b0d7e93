// What Home keeps of the feed of all projects.
import assert from "node:assert/strict";
import test from "node:test";
import { api } from "../../src/api/client";
import { live } from "../../src/api/live";
import type { Alert, Project, Run } from "../../src/api/types";
import { OverviewStore } from "../../src/store/overview";
import { tracking } from "../../src/api/tracking";
import { Rows } from "../../src/store/rows";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

/** What the server holds. */
let runs: Run[] = [];
let projectReads = 0;

api.projects = async () => {
  projectReads++;
  return [{ id: "p", name: "p", created_at: 0, last_activity_at: 0 } as Project];
};
api.recentRuns = async (states, limit) => {
  const found = runs.filter(({ state }) => states.split(",").includes(state));
  return { items: found.sort((a, b) => b.created_at - a.created_at).slice(0, limit), next: null };
};

let alerts: Alert[] = [];
tracking.recentAlerts = async () => ({ items: alerts });

/** The rows of the store that was used last. */
let kept: Rows<string, Run> | null = null;
const { put } = Rows.prototype;
Rows.prototype.put = function (row) {
  kept = this as never;
  put.call(this, row);
};

const run = (at: number, state: Run["state"]): Run =>
  ({ id: `r${at}`, name: `r${at}`, state, created_at: at }) as Run;

async function home(all: Run[]): Promise<OverviewStore> {
  runs = all;
  live.start();
  FakeSocket.last.open();
  const store = new OverviewStore();
  FakeSocket.last.tell({ type: "subscribed", id: FakeSocket.last.asked[0]!["id"], seq: 1 });
  await clock.pass(100);
  return store;
}

const tell = (message: Record<string, unknown>) =>
  FakeSocket.last.tell({ id: FakeSocket.last.asked[0]!["id"], seq: 2, ...message });
const ids = (all: readonly Run[] | undefined) => all?.map(({ id }) => id).join(" ");

test("many changes become one, and what the page does not show is not kept", async () => {
  const store = await home([run(1, "running")]);
  let told = 0;
  const end = store.state.subscribe(() => told++);
  projectReads = 0;
  for (let i = 10; i < 510; i++) tell({ type: "run", run: run(i, "running") });
  for (let i = 10; i < 500; i++) tell({ type: "run", run: run(i, i % 2 === 0 ? "finished" : "failed") });
  await clock.pass(100);
  assert.equal(told, 1);
  assert.equal(ids(store.state.value?.active), "r509 r508 r507 r506 r505 r504 r503 r502 r501 r500 r1");
  assert.equal(ids(store.state.value?.trouble), "r499 r497 r495 r493 r491 r489");
  assert.equal(kept!.all.size, 17);
  await clock.pass(2000);
  assert.equal(projectReads, 1);
  end();
  store.close();
  live.stop();
});

test("a run that ends well while the list is read is not set back", async () => {
  const store = await home([run(1, "running")]);
  store.follow.read();
  tell({ type: "run", run: run(1, "finished") });
  await clock.pass(100);
  assert.equal(ids(store.state.value?.active), "");
  store.close();
  live.stop();
});

test("when one that went wrong is deleted, the next one takes its place", async () => {
  const all = Array.from({ length: 8 }, (_, i) => run(i + 1, "failed"));
  const store = await home(all);
  assert.equal(ids(store.state.value?.trouble), "r8 r7 r6 r5 r4 r3");
  runs = all.filter(({ id }) => id !== "r7");
  tell({ type: "deleted", run: "r7" });
  await clock.pass(100);
  assert.equal(ids(store.state.value?.trouble), "r8 r6 r5 r4 r3 r2");
  store.close();
  live.stop();
});

test("alerts of the last days show once: not those that are for information, nor of runs that are there anyhow", async () => {
  const now = Date.now() * 1000;
  const alert = (id: number, run: string, level: Alert["level"], at: number) => ({ id, run, level, at, title: "t", text: "" }) as Alert;
  alerts = [alert(1, "x", "warn", now - 1e6), alert(2, "x", "info", now), alert(3, "r5", "error", now), alert(4, "y", "error", now - 9 * 86_400e6),
    alert(5, "z", "error", now)];
  const store = await home([run(5, "failed")]);
  assert.deepEqual(store.state.value?.alerts.map(({ id }) => id), [5, 1]);
  store.close();
  live.stop();
  alerts = [];
});
