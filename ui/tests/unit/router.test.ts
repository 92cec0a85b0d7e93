import assert from "node:assert/strict";
import test from "node:test";
import { type Route, parseRoute, pathOf, projectOf } from "../../src/router";

const routes: [string, Route][] = [
  ["/", { page: "home" }],
  ["/pool", { page: "pool" }],
  ["/p/digits/runs", { page: "runs", project: "digits" }],
  ["/p/digits/runs/k2f9a0xy", { page: "run", project: "digits", run: "k2f9a0xy" }],
  ["/p/digits/sweeps", { page: "sweeps", project: "digits" }],
  ["/p/digits/sweeps/p81hq0zz", { page: "sweep", project: "digits", sweep: "p81hq0zz" }],
  ["/p/two%20words%2Fslash/runs", { page: "runs", project: "two words/slash" }],
];

test("every page has one path, and the path says which page", () => {
  for (const [path, route] of routes) {
    assert.deepEqual(parseRoute(path), route);
    assert.equal(pathOf(route), path);
  }
});

test("a project's own path leads to its runs, and slashes at the end do not matter", () => {
  assert.deepEqual(parseRoute("/p/digits"), { page: "runs", project: "digits" });
  assert.deepEqual(parseRoute("/p/digits/sweeps/"), { page: "sweeps", project: "digits" });
});

test("what is no page is missing, not an error", () => {
  for (const path of ["/x", "/p", "/p/a/nothing", "/p/a/runs/b/c", "/p/%E0%A4%A/runs"]) {
    assert.deepEqual(parseRoute(path), { page: "missing", path });
  }
});

test("a route knows its project", () => {
  assert.equal(projectOf({ page: "sweep", project: "a", sweep: "b" }), "a");
  assert.equal(projectOf({ page: "home" }), null);
});
