// The trash: runs that are deleted but kept for a while, and what can be done with them.
import { api } from "../api/client";
import type { Run } from "../api/types";
import { toast } from "../components/Toast";
import { each, named, verb } from "./batch";
import { Follow } from "./follow";
import { hasEnded } from "./runs";
import { Rows } from "./rows";
import { Store } from "./store";

/** How long a run stays in the trash, in microseconds. */
export const KEPT = 30 * 86_400e6;

/** Whether a run is executed by Martlet and has not ended: it must be stopped before it can be deleted. */
export function mustStop(run: Run): boolean {
  return run.attempts > 0 && !hasEnded(run.state);
}

/** Puts runs into the trash; what appears at the edge of the page undoes it. */
export async function moveToTrash(runs: readonly Run[]): Promise<void> {
  const done = await each(runs, (run) => api.deleteRun(run.id));
  if (done.length === 0) return;
  toast(`${named(done)} ${verb(done)} in the trash.`, { action: { word: "Undo", run: () => void restore(done) } });
}

export async function restore(runs: readonly Run[]): Promise<void> {
  const done = await each(runs, (run) => api.restoreRun(run.id));
  if (done.length > 0) toast(`${named(done)} ${verb(done)} back.`);
}

export async function purge(runs: readonly Run[]): Promise<void> {
  const done = await each(runs, (run) => api.deleteRun(run.id, true));
  if (done.length > 0) toast(`${named(done)} ${verb(done)} deleted for ever.`);
}

/** A project's runs that are in the trash, those deleted last first. */
export class TrashStore {
  readonly state = new Store<{ runs: readonly Run[]; complete: boolean }>({ runs: [], complete: false });
  readonly follow: Follow;
  #rows = new Rows<string, Run>((run) => run.id);

  constructor(readonly project: string) {
    this.follow = new Follow({
      request: () => ({ topic: "runs", project }),
      read: async (signal) => {
        this.#rows.begin();
        const runs = await api.trash(project, signal);
        signal.throwIfAborted();
        this.#rows.page(runs);
        this.#rows.end();
        this.#publish(true);
      },
      message: (message) => {
        if (message.type === "deleted") {
          // It came into the trash, or left it for ever: the server knows which.
          this.follow.read();
        } else if (message.type === "run" && this.#rows.all.has(message.run.id)) {
          this.#rows.remove(message.run.id);
          this.#publish(this.state.value.complete);
        }
      },
    });
  }

  #publish(complete: boolean): void {
    const runs = [...this.#rows.all.values()].sort((a, b) => (b.deleted_at ?? 0) - (a.deleted_at ?? 0) || (a.id < b.id ? 1 : -1));
    this.state.set({ runs, complete });
  }

  close(): void {
    this.follow.close();
  }
}
