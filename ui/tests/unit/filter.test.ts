// The filter's text: what is asked of the server, what completes it, and which clause leaves nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { type FilterAnswer, tracking } from "../../src/api/tracking";
import { parseAggregates, printAggregates } from "../../src/store/aggregates";
import { FilterText, completed, emptyingClause, without } from "../../src/store/filter";
import { configField, fieldTitle, parseSort, printSort, quoted, serverSort } from "../../src/store/sorting";
import { browser } from "./fakes";

const clock = browser();

/** An answer to clauses with spaces between them; one that holds a `?` is wrong. */
function answerTo(text: string): FilterAnswer {
  const clauses = [...text.matchAll(/\S+/g)].map((match) => ({ from: match.index!, to: match.index! + match[0].length, text: match[0] }));
  const wrong = clauses.find((clause) => clause.text.includes("?"));
  return {
    valid: !wrong, canonical: wrong ? null : text, clauses: wrong ? [] : clauses, completion: null,
    error: wrong ? { message: "wrong", hint: null, from: wrong.from, to: wrong.to } : null,
  };
}

let asked: string[] = [];
tracking.filter = async (_project, q, at) => {
  asked.push(`${q}|${at}`);
  return answerTo(q);
};

test("the server is asked when the text rests, and only what is valid is taken over", async () => {
  const taken: string[] = [];
  asked = [];
  const filter = new FilterText("p", "a", (text) => taken.push(text));
  await clock.pass(0);
  filter.write("a b", 3);
  await clock.pass(20);
  filter.write("a b?", 4);
  await clock.pass(100);
  assert.deepEqual(asked, ["a|1", "a b?|4"]);
  assert.deepEqual(taken, []);
  assert.deepEqual(filter.state.value.answer?.error, { message: "wrong", hint: null, from: 2, to: 4 });
  filter.write("a c ", 4);
  assert.equal(filter.state.value.known, false);
  await clock.pass(100);
  assert.deepEqual(taken, ["a c"]);
  filter.close();
});

test("an answer that comes after more was written neither puts the old text back nor is taken over", async () => {
  const quick = tracking.filter;
  const taken: string[] = [];
  tracking.filter = async (_project, q) => {
    await new Promise((resolve) => setTimeout(resolve, 80));
    return answerTo(q);
  };
  const filter = new FilterText("p", "", (text) => taken.push(text));
  await clock.pass(100);
  filter.write("l", 1);
  await clock.pass(120); // asked at 60, answered at 140
  filter.write("lr", 2);
  await clock.pass(30);
  assert.equal(filter.state.value.text, "lr");
  filter.write("lr<", 3);
  await clock.pass(200);
  assert.deepEqual([filter.state.value.text, filter.state.value.known, taken], ["lr<", true, ["lr<"]]);
  filter.close();
  tracking.filter = quick;
});

test("a text from outside is asked about at once, and is nobody's change", async () => {
  const taken: string[] = [];
  const filter = new FilterText("p", "", (text) => taken.push(text));
  filter.take("x y");
  await clock.pass(0);
  assert.deepEqual(filter.state.value.answer?.clauses.map(({ text }) => text), ["x", "y"]);
  assert.deepEqual(taken, []);
  filter.close();
});

test("a clause is taken out, the others stay", () => {
  assert.equal(without(answerTo("lr<1 state:running x"), 1), "lr<1 x");
});

test("a completion replaces what it stands for; a value is followed by a space, a field by its operator", () => {
  assert.deepEqual(completed("lr<1 sta", { from: 5, to: 8 }, { text: "state", kind: "field" }), { text: "lr<1 state", at: 10 });
  assert.deepEqual(completed("state:ru and x", { from: 6, to: 8 }, { text: "running", kind: "value" }), { text: "state:running and x", at: 13 });
  assert.deepEqual(completed("state:", { from: 6, to: 6 }, { text: "failed", kind: "value" }), { text: "state:failed ", at: 13 });
});

test("the clause that removes the last runs is the first with which none is left", async () => {
  const counts: Record<string, number> = { "": 40, a: 12, "a b": 0 };
  tracking.count = async (_project, { q }) => ({ total: counts[q] ?? 0, states: {} });
  const { signal } = new AbortController();
  assert.deepEqual(await emptyingClause("p", answerTo("a b c"), false, signal), { index: 1, left: 12 });
  assert.deepEqual(await emptyingClause("p", answerTo("a b"), false, signal), { index: 1, left: 12 });
});

test("names are quoted where the language needs it", () => {
  assert.deepEqual(["lr", "val/loss", "my metric", "a`b", "and", "1st"].map(quoted), ["lr", "val/loss", "`my metric`", "`a``b`", "`and`", "`1st`"]);
  assert.deepEqual(["lr", "name", "a b"].map(configField), ["config.lr", "config.name", "config.`a b`"]);
  assert.deepEqual(["config.lr", "config.`a b`", "tag"].map(fieldTitle), ["lr", "a b", "tag"]);
});

test("an order goes through the address and back, and to the server", () => {
  for (const text of ["name", "-name", "-metric:val/loss", "config:optimizer.name"]) assert.equal(printSort(parseSort(text)), text);
  assert.deepEqual(parseSort(null), { by: "field:created", descending: true });
  assert.deepEqual(["-metric:val/loss", "config:lr", "-field:created", "name", "field:user"].map((text) => serverSort(parseSort(text), "min")),
    ["-metric:val/loss.min", "config.lr", "-created", "name", "user"]);
});

test("chosen numbers of metrics go through the address and back", () => {
  const chosen = { "val/loss": "min", "a,b:c %": "best" } as const;
  assert.deepEqual(parseAggregates(printAggregates(chosen)), chosen);
  assert.deepEqual(parseAggregates("x:huge,:min,%zz:min"), {});
  assert.equal(printAggregates({}), null);
});
