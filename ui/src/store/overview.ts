// What is going on in all projects: what runs, what went wrong lately, and the projects themselves.
import type { Project, Run } from "../api/types";
import { ApiError, api } from "../api/client";
import { Follow } from "./follow";
import { Rows } from "./rows";
import { hasEnded } from "./runs";
import { Store } from "./store";

const ACTIVE = "starting,running,lost,queued";
const TROUBLE = "failed,timedOut,killed,crashed";

export interface Overview {
  projects: readonly Project[];
  active: readonly Run[];
  trouble: readonly Run[];
}

export class OverviewStore {
  readonly state = new Store<Overview | null>(null);
  readonly follow: Follow;
  #projects: readonly Project[] = [];
  #runs = new Rows<string, Run>((run) => run.id);
  #timer: number | undefined;

  constructor() {
    this.follow = new Follow({
      request: () => ({ topic: "runs" }),
      read: async (signal) => {
        this.#runs.begin();
        const [projects, active, trouble] = await Promise.all([
          api.projects(signal), api.recentRuns(ACTIVE, 100, signal), api.recentRuns(TROUBLE, 6, signal),
        ]);
        signal.throwIfAborted();
        this.#projects = projects;
        this.#runs.page([...active.items, ...trouble.items]);
        this.#runs.end();
        this.#publish();
      },
      message: (message) => {
        if (message.type === "deleted") {
          this.#runs.remove(message.run);
          this.#publish();
          this.#timer ??= setTimeout(() => void this.#readProjects(), 1000);
        }
        if (message.type !== "run") return;
        const before = this.#runs.all.get(message.run.id);
        this.#runs.put(message.run);
        this.#publish();
        // The projects' counts change with a run's beginning and end; many at once are read once.
        if (before?.state !== message.run.state) this.#timer ??= setTimeout(() => void this.#readProjects(), 1000);
      },
    });
  }

  async #readProjects(): Promise<void> {
    this.#timer = undefined;
    try {
      this.#projects = await api.projects();
      this.#publish();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.follow.error.set(error);
    }
  }

  #publish(): void {
    const runs = [...this.#runs.all.values()].sort((a, b) => b.created_at - a.created_at);
    this.state.set({
      projects: [...this.#projects].sort((a, b) => (b.last_activity_at ?? b.created_at) - (a.last_activity_at ?? a.created_at)),
      active: runs.filter((run) => !hasEnded(run.state)),
      trouble: runs.filter((run) => TROUBLE.split(",").includes(run.state)).slice(0, 6),
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.follow.close();
  }
}
