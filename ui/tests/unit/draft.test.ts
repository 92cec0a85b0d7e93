// What of an edited text is saved.
import assert from "node:assert/strict";
import test from "node:test";
import { toSave } from "../../src/store/draft";

test("only what was changed since the field was opened is saved", () => {
  assert.equal(toSave({ opened: "old", text: "old" }), null);
  // Looking at a text with blanks at its ends is no change.
  assert.equal(toSave({ opened: "old \n", text: "old \n" }), null);
  assert.equal(toSave({ opened: "old", text: " old " }), null);
  assert.equal(toSave({ opened: "old", text: " new " }), "new");
  assert.equal(toSave({ opened: "old", text: "" }), "");
});
