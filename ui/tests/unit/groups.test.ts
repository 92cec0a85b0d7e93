// Groups of runs over a feed and an API that the test plays: paging, questions, archive.
import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../src/api/client";
import { live } from "../../src/api/live";
import { type Group, tracking } from "../../src/api/tracking";
import { GroupsStore, type GroupsQuestion, groupId } from "../../src/store/groups";
import { FakeSocket, browser } from "./fakes";

const clock = browser();

const group = (i: number): Group => ({ key: [i], filter: `lr=${i}`, count: 1, states: {}, values: {} });
let held = 0;
let down = false;
let asked: string[] = [];
tracking.groups = async (_project, { q, archived, limit, cursor }) => {
  asked.push(`${q}/${archived}/${limit}/${cursor}`);
  if (down || q === "wrong") throw new ApiError(503, "unavailable", "Not now.");
  const from = Number(cursor ?? 0);
  const to = Math.min(held, from + limit);
  return { items: Array.from({ length: Math.max(0, to - from) }, (_, i) => group(from + i)), next: to < held ? String(to) : null };
};
tracking.runs = async (_project, { q, archived }) => {
  asked.push(`runs ${q}/${archived}`);
  return { items: [], next: null };
};

const question = (more: Partial<GroupsQuestion> = {}): GroupsQuestion => ({ q: "", by: ["lr"], values: [], sort: null, archived: false, ...more });

async function open(count: number, more: Partial<GroupsQuestion> = {}): Promise<GroupsStore> {
  [held, down, asked] = [count, false, []];
  live.start();
  FakeSocket.last.open();
  const store = new GroupsStore("p", question(more));
  FakeSocket.last.tell({ type: "subscribed", id: FakeSocket.last.asked[0]!["id"], seq: 1 });
  await clock.pass(10);
  return store;
}

function end(store: GroupsStore): void {
  store.close();
  live.stop();
}

const told = () => FakeSocket.last.tell({ id: FakeSocket.last.asked[0]!["id"], seq: 2, type: "deleted", run: "x" });

test("a page that cannot be read is asked for once, and again when the server is back", async () => {
  const store = await open(250);
  down = true;
  asked = [];
  // A table at its end asks whenever it is drawn anew.
  for (let i = 0; i < 20; i++) {
    void store.more();
    await clock.pass(10);
  }
  assert.deepEqual(asked, ["/false/100/100"]);
  assert.equal(store.follow.error.value?.message, "Not now.");
  down = false;
  store.follow.read();
  await clock.pass(10);
  assert.equal(store.state.value.groups.length, 200);
  assert.equal(store.follow.error.value, null);
  end(store);
});

test("two requests for more are one page; a change reads as many groups as were held", async () => {
  const store = await open(450);
  await Promise.all([store.more(), store.more()]);
  await store.more();
  assert.equal(store.state.value.groups.length, 300);
  asked = [];
  told();
  await clock.pass(3000);
  assert.deepEqual(asked, ["/false/300/null"]);
  assert.deepEqual([store.state.value.groups.length, store.state.value.more], [300, true]);
  end(store);
});

test("groups of another question are known to be that, also when it cannot be answered", async () => {
  const store = await open(3);
  assert.equal(store.state.value.wanted, store.state.value.asked);
  store.ask(question({ q: "wrong" }));
  assert.notEqual(store.state.value.wanted, store.state.value.asked);
  await clock.pass(10);
  assert.deepEqual([store.state.value.reading, store.state.value.wanted === store.state.value.asked], [false, false]);
  store.ask(question({ q: "a" }));
  await clock.pass(10);
  assert.deepEqual([store.state.value.asked.q, store.state.value.wanted === store.state.value.asked], ["a", true]);
  end(store);
});

test("of the archive, groups and their runs are asked for", async () => {
  const store = await open(2, { archived: true });
  store.want([group(1)]);
  await clock.pass(10);
  assert.deepEqual([...new Set(asked)], ["/true/100/null", "runs lr=1/true"]);
  end(store);
});

test("a group's filter holds the question; where there is none its runs are not asked for", async () => {
  const store = await open(2, { q: "seed exists" });
  store.want([{ ...group(0), filter: "seed exists lr=0" }, { ...group(1), filter: null }]);
  await clock.pass(10);
  assert.deepEqual(asked.filter((one) => one.startsWith("runs")), ["runs seed exists lr=0/false"]);
  const more = [0, 1].map((i) => store.state.value.members.get(groupId(["lr"], [i]))?.more);
  assert.deepEqual(more, [false, true]);
  end(store);
});

test("a read that takes long is not given up for the changes that come meanwhile", async () => {
  const quick = tracking.groups;
  const store = await open(2);
  let [begun, given] = [0, 0];
  tracking.groups = async (...args) => {
    begun++;
    args[2]?.addEventListener("abort", () => given++);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    return quick(...args);
  };
  held = 5;
  for (let i = 0; i < 100; i++) {
    told();
    await clock.pass(120);
  }
  assert.deepEqual([begun, given, store.state.value.groups.length], [1, 0, 5]);
  tracking.groups = quick;
  end(store);
});
