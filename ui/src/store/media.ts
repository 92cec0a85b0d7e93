// The last typed value of each name of a run.
import { type Typed, typedOf } from "../api/typed";
import type { Summary } from "../api/types";

export interface LastValue {
  typed: Typed;
  step: number;
}

/** Gives the same object for a name as long as nothing was logged under it since: what shows it is not made anew. */
export class LastValues {
  #kept = new Map<string, { text: string; last: LastValue }>();

  of(summary: Summary): ReadonlyMap<string, LastValue> {
    const out = new Map<string, LastValue>();
    for (const [name, entry] of Object.entries(summary)) {
      // A name may hold numbers and other values: its summary then has both.
      if (!("value" in entry) || typeof entry.value !== "object" || entry.set_at !== undefined) continue;
      const text = `${entry.last_step} ${JSON.stringify(entry.value)}`;
      let kept = this.#kept.get(name);
      if (kept?.text !== text) {
        const typed = typedOf(entry.value);
        if (typed === null) continue;
        this.#kept.set(name, (kept = { text, last: { typed, step: entry.last_step ?? 0 } }));
      }
      out.set(name, kept.last);
    }
    return out;
  }
}
