// What a reader changes about runs: name, notes, tags, archive, lock, project. What can be undone says so.
import { type RunChanges, tracking } from "../api/tracking";
import type { Run } from "../api/types";
import { attempt, toast } from "../components/Toast";
import { plural } from "../format";
import { each, named, verb } from "./batch";

/** Changes one run; true when the server did. */
export const change = (run: Run, changes: RunChanges): Promise<boolean> => attempt(() => tracking.change(run.id, changes));

async function all(runs: readonly Run[], changes: (run: Run) => RunChanges): Promise<Run[]> {
  return each(runs, (run) => tracking.change(run.id, changes(run)));
}

function offer(text: string, run: () => void): void {
  toast(text, { action: { word: "Undo", run } });
}

/** Adds tags to runs and takes others away; undone, each run has those again that it had. */
export async function retag(runs: readonly Run[], add: readonly string[], remove: readonly string[]): Promise<void> {
  const done = await all(runs, () => ({ add_tags: [...add], remove_tags: [...remove] }));
  if (done.length === 0) return;
  offer(`${named(done)} ${verb(done)} tagged anew.`, () => void all(done, (run) => ({
    add_tags: remove.filter((tag) => run.tags.includes(tag)), remove_tags: add.filter((tag) => !run.tags.includes(tag)),
  })));
}

export async function archive(runs: readonly Run[], archived: boolean, again = true): Promise<void> {
  const done = await all(runs, () => ({ archived }));
  if (done.length === 0) return;
  const text = `${named(done)} ${verb(done)} ${archived ? "archived" : "back from the archive"}.`;
  if (again) offer(text, () => void archive(done, !archived, false));
  else toast(text);
}

export async function lock(runs: readonly Run[], locked: boolean, again = true): Promise<void> {
  const done = await all(runs, () => ({ locked }));
  if (done.length === 0) return;
  const text = `${named(done)} ${verb(done)} ${locked ? "locked" : "unlocked"}.`;
  if (again) offer(text, () => void lock(done, !locked, false));
  else toast(text);
}

export async function move(runs: readonly Run[], project: string): Promise<void> {
  const done = await all(runs, () => ({ project }));
  if (done.length === 0) return;
  offer(`${named(done)} ${verb(done)} in ${project} now.`, () => {
    void all(done, (run) => ({ project: run.project })).then((back) => toast(`${plural(back.length, "run")} moved back.`));
  });
}

/** Tags from what somebody wrote: words with commas or spaces between them. */
export function readTags(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((tag) => tag !== ""))];
}

/** The tags of runs with how many have each, those of all first. */
export function tagCounts(runs: readonly Run[]): { tag: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const run of runs) for (const tag of run.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1));
}
