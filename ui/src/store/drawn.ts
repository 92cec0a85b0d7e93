// Which runs the charts of a project draw.
import type { Run } from "../api/types";

/** Runs drawn at once: the server takes no more in one request for points. */
export const MOST_DRAWN = 1000;

/** The runs that are switched on, those in the table first and in its order; `drawn` are the first of them. */
export function toDraw(
  rows: readonly Run[], byId: ReadonlyMap<string, Run>, shown: ReadonlySet<string>,
): { drawn: readonly Run[]; wanted: number } {
  const inTable = rows.filter((run) => shown.has(run.id));
  const seen = new Set(inTable.map(({ id }) => id));
  const others = [...shown].filter((id) => !seen.has(id)).flatMap((id) => byId.get(id) ?? []);
  const all = [...inTable, ...others];
  return { drawn: all.slice(0, MOST_DRAWN), wanted: all.length };
}
