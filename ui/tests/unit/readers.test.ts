// Patches, CSV, events, system metrics and long scrolls: what the page makes of what it reads.
import assert from "node:assert/strict";
import test from "node:test";
import type { SystemMetric } from "../../src/api/types";
import { readCSV } from "../../src/store/csv";
import { alikeGPUs } from "../../src/store/environment";
import { eventWords } from "../../src/store/events";
import { linkParts } from "../../src/store/links";
import { endSentence } from "../../src/store/runs";
import { readPatch } from "../../src/store/patch";
import { drawAt, lastTop, needsWheel, reelHeight, scrollAt, topAt } from "../../src/store/scroll";
import { rangeText, systemSections, withUnit } from "../../src/store/system";
import { readTags, tagCounts } from "../../src/store/changes";
import { rowsOf } from "../../src/components/media/packed";

const PATCH = `diff --git a/train.py b/train.py
index 1..2 100644
--- a/train.py
+++ b/train.py
@@ -1,3 +1,3 @@ def main():
 a
--- b
+++ c
 d
diff --git a/new.txt b/new.txt
new file mode 100644
index 0..1
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+x
\\ No newline at end of file
`;

test("a patch is read file by file, with the numbers of both sides; lines that begin with dashes are lines", () => {
  const [train, fresh] = readPatch(PATCH);
  assert.deepEqual([train!.name, train!.added, train!.removed], ["train.py", 1, 1]);
  assert.deepEqual(train!.lines.map(({ kind, text, before, after }) => [kind, text, before, after]), [
    ["hunk", "@@ -1,3 +1,3 @@ def main():", null, null], ["same", "a", 1, 1], ["remove", "-- b", 2, null], ["add", "++ c", null, 2], ["same", "d", 3, 3],
  ]);
  assert.deepEqual([fresh!.name, fresh!.added, fresh!.lines.map(({ kind }) => kind)], ["new.txt", 1, ["note", "hunk", "add", "note"]]);
});

test("what is no patch is shown as it is, an empty one is nothing", () => {
  assert.deepEqual(readPatch(""), []);
  assert.deepEqual(readPatch("(cut at 10 MB)").map(({ lines }) => lines.map(({ text }) => text)), [["(cut at 10 MB)"]]);
  assert.deepEqual(readPatch("--- old.c\n+++ new.c\n@@ -1 +1 @@\n-a\n+b\n").map(({ name, added }) => [name, added]), [["new.c", 1]]);
});

test("CSV: quotes, line breaks in cells, other separators, no more rows than asked for", () => {
  assert.deepEqual(readCSV('a,b\r\n"x, ""y""\nz",2\r\n', 10), { columns: ["a", "b"], rows: [['x, "y"\nz', "2"]], more: false });
  assert.deepEqual(readCSV("a\tb\n1\t2", 10).rows, [["1", "2"]]);
  assert.deepEqual([readCSV("a\n1\n2\n3\n", 2).rows.length, readCSV("a\n1\n2\n3\n", 2).more], [2, true]);
  assert.deepEqual(readCSV("", 5), { columns: [], rows: [], more: false });
});

test("events are told in words, unknown ones as they are", () => {
  const event = (type: string, payload: Record<string, string | string[] | null>) => eventWords({ at: 0, by: "me", type, payload });
  assert.deepEqual(event("state", { from: "running", to: "timedOut", reason: "after 2 h" }), { title: "Timed out", detail: "after 2 h", state: "timedOut" });
  assert.equal(event("state", { from: "running", to: "finished", reason: "Finished." }).detail, "");
  assert.deepEqual(event("renamed", { from: "a", to: "b" }), { title: "Renamed", detail: "before: a, now: b", state: null });
  assert.deepEqual(event("tagged", { added: ["x", "y"], removed: [] }).detail, "added x, y");
  assert.deepEqual(event("fileSaved", { path: "a.pt", sha256: "00ff" }), { title: "File saved", detail: "path a.pt", state: null });
  assert.equal(event("someNew_thing", {}).title, "Some new thing");
});

test("system metrics come together in charts, all GPUs in one; what is not known has its own", () => {
  const names = ["cpu", "process/cpu", "memory/used", "process/memory", "disk/read", "disk/write", "disk/data/x/used", "gpu.0/utilization", "gpu.10/utilization",
    "gpu.2/utilization", "gpu.0/power", "npu/load"];
  const sections = systemSections(names.map((name) => ({ name, unit: "" }) as SystemMetric));
  assert.deepEqual(sections.map(({ title, charts }) => [title, charts.map(({ lines }) => lines.map(({ name }) => name).join("+"))]), [
    ["GPUs", ["gpu 0+gpu 2+gpu 10", "gpu 0"]], ["Processor", ["machine", "run"]], ["Memory", ["machine+run"]],
    ["Disk", ["read+written", "data/x"]], ["Other", ["npu/load"]],
  ]);
  assert.deepEqual(systemSections([]), []);
});

test("numbers of the machine have their units", () => {
  assert.deepEqual([withUnit(1.2e9, "bytes"), withUnit(2500, "bytes/s"), withUnit(71.04, "°C"), withUnit(312.7, "W"), withUnit(NaN, "%"), withUnit(12, "")],
    ["1.2 GB", "2.5 KB/s", "71 °C", "313 W", "–", "12"]);
});

test("a short text scrolls by pixels, ten million lines by their share", () => {
  const short = { line: 18, total: 1000, height: 600 };
  assert.deepEqual([reelHeight(short), topAt(short, 180), scrollAt(short, 10), needsWheel(short)], [18_000, 10, 180, false]);
  assert.equal(drawAt(short, 5, 10, 180), 90);
  const long = { line: 18, total: 10_000_000, height: 600 };
  assert.ok(reelHeight(long) < 16_000_000 && needsWheel(long));
  assert.equal(Math.round(topAt(long, reelHeight(long) - 600)), Math.round(lastTop(long)));
  for (const top of [0, 1, 4_711_000, lastTop(long)]) assert.ok(Math.abs(topAt(long, scrollAt(long, top)) - top) < 1e-3);
  // The line at the top is drawn at the top, wherever the bar is.
  assert.equal(drawAt(long, 5000, 5000, 123), 123);
});

test("tags are words, counted by how many runs have them", () => {
  assert.deepEqual(readTags(" a, b  a\nc"), ["a", "b", "c"]);
  assert.deepEqual(tagCounts([{ tags: ["x", "y"] }, { tags: ["y"] }] as never).map(({ tag, count }) => `${tag}${count}`), ["y2", "x1"]);
});

test("a card takes as many low rows as it is high with its gap", () => {
  assert.deepEqual([rowsOf(100), rowsOf(101)], [28, 29]);
});

test("a range names its unit once, and both where they differ", () => {
  assert.deepEqual([rangeText("22 %", "75 %"), rangeText("4.2 MB", "1.1 GB"), rangeText("1", "12"), rangeText("80 W", "80 W"), rangeText("22\u00a0%", "75\u00a0%")],
    ["22–75 %", "4.2 MB–1.1 GB", "1–12", "80 W", "22–75\u00a0%"]);
});

test("GPUs that are alike stand in one line", () => {
  const a100 = { name: "A100", memory_bytes: 80e9, driver: "550" };
  assert.deepEqual(alikeGPUs([a100, a100, { name: "T4" }, a100]), [
    { name: "GPUs 0–1", text: "2 × A100, 80 GB, driver 550" }, { name: "GPU 2", text: "T4" }, { name: "GPU 3", text: "A100, 80 GB, driver 550" },
  ]);
});

test("the end of a run is told with its length, its last step and its reason", () => {
  const end = (state: "finished" | "failed", reason: string | null, started_at: number | null, last_step: number | null) =>
    endSentence({ state, exit: { code: 0, signal: null, reason }, started_at, ended_at: 21e6, last_step });
  assert.equal(end("finished", "Finished.", 1e6, 1999), "Finished after 20 s at step 1,999.");
  assert.equal(end("finished", "Exited with code 0 after 20 s.", 1e6, 5), "Finished after 20 s at step 5.");
  assert.equal(end("failed", "Exited with code 3 after 20 s: no file", 1e6, 5), "Ended at step 5: Exited with code 3 after 20 s: no file.");
  assert.equal(end("failed", "Exited with code 3", 1e6, null), "Ended after 20 s: Exited with code 3.");
  assert.equal(end("failed", null, null, null), "Ended before it started.");
});

test("addresses in notes are links, without what ends their sentence; no other scheme is", () => {
  assert.deepEqual(linkParts("see (https://a.example/x?y=1). or javascript:alert(1)").map(({ text, link }) => (link ? `[${text}]` : text)),
    ["see (", "[https://a.example/x?y=1]", "). or javascript:alert(1)"]);
  assert.deepEqual(linkParts(""), []);
});
