// When changes lead to a read: gathered, never over a read that is under way.
import assert from "node:assert/strict";
import test from "node:test";
import { Pace } from "../../src/store/pace";
import { browser } from "./fakes";

const clock = browser();

/** A pace whose reads take some milliseconds; when they began and ended. */
function paced(takes: number): { pace: Pace; told: string[] } {
  const told: string[] = [];
  const pace: Pace = new Pace(() => {
    void pace.during(async () => {
      told.push(`from ${clock.now}`);
      await new Promise<void>((resolve) => setTimeout(resolve, takes));
      told.push(`to ${clock.now}`);
    });
  }, 100, () => clock.now);
  return { pace, told };
}

test("many changes are one read; those during a read are another one, after a pause as long as it took", async () => {
  const { pace, told } = paced(1000);
  const begin = clock.now;
  const at = (milliseconds: number) => begin + milliseconds;
  for (let i = 0; i < 5; i++) pace.mark();
  for (let i = 0; i < 30; i++) {
    await clock.pass(50);
    if (i < 25) pace.mark(); // until 1250
  }
  await clock.pass(3000);
  assert.deepEqual(told, [`from ${at(100)}`, `to ${at(1100)}`, `from ${at(2100)}`, `to ${at(3100)}`]);
  pace.mark();
  pace.close();
  pace.mark();
  await clock.pass(3000);
  assert.equal(told.length, 4);
});

test("a quick read is asked for as often as changes are gathered", async () => {
  const { pace, told } = paced(1);
  for (let i = 0; i < 8; i++) {
    pace.mark();
    await clock.pass(50);
  }
  assert.equal(told.filter((each) => each.startsWith("from")).length, 3);
  pace.close();
});
