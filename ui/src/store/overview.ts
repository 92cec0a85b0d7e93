// What is going on in all projects: what runs, what went wrong lately, and the projects themselves.
import type { Alert, Project, Run } from "../api/types";
import { ApiError, api } from "../api/client";
import { tracking } from "../api/tracking";
import { Follow } from "./follow";
import { Rows } from "./rows";
import { GATHER, hasEnded } from "./runs";
import { Store } from "./store";

const ACTIVE = "starting,running,lost,queued";
const TROUBLE = "failed,timedOut,killed,crashed";
const MOST_TROUBLE = 6;
const PROJECTS_AFTER = 1000; // milliseconds in which changes are gathered that change the projects' counts

const ALERTS_FOR = 3 * 86_400e6; // microseconds for which an alert is told
const MOST_ALERTS = 6;

const isTrouble = (run: Run): boolean => TROUBLE.split(",").includes(run.state);

export interface Overview {
  projects: readonly Project[];
  active: readonly Run[];
  trouble: readonly Run[];
  /** Lately raised by runs, newest first; what they tell of runs in `trouble` is left out. */
  alerts: readonly Alert[];
}

export class OverviewStore {
  readonly state = new Store<Overview | null>(null);
  readonly follow: Follow;
  #projects: readonly Project[] = [];
  #alerts: readonly Alert[] = [];
  #runs = new Rows<string, Run>((run) => run.id);
  #timer: number | undefined;
  #projectsTimer: number | undefined;

  constructor() {
    this.follow = new Follow({
      request: () => ({ topic: "runs" }),
      read: async (signal) => {
        this.#runs.begin();
        const [projects, active, trouble, alerts] = await Promise.all([
          api.projects(signal), api.recentRuns(ACTIVE, 100, signal), api.recentRuns(TROUBLE, MOST_TROUBLE, signal), tracking.recentAlerts(signal),
        ]);
        signal.throwIfAborted();
        this.#projects = projects;
        this.#alerts = alerts.items;
        this.#runs.page([...active.items, ...trouble.items]);
        this.#runs.end();
        this.#publish();
      },
      message: (message) => {
        if (message.type === "alert") this.follow.read();
        else if (message.type === "deleted") {
          const gone = this.#runs.all.get(message.run);
          this.#runs.remove(message.run);
          this.#publishSoon();
          // Another one takes its place in the list of what went wrong, and only the server knows which.
          if (gone && isTrouble(gone)) this.follow.read();
          else this.#readProjectsSoon();
        } else if (message.type === "run") {
          const { run } = message;
          const before = this.#runs.all.get(run.id);
          // Of all that happens in all projects, what the page does not show is not kept.
          if (hasEnded(run.state) && !isTrouble(run)) this.#runs.remove(run.id);
          else this.#runs.put(run);
          this.#publishSoon();
          // The projects' counts change with a run's beginning and end.
          if (before?.state !== run.state) this.#readProjectsSoon();
        }
      },
    });
  }

  #readProjectsSoon(): void {
    this.#projectsTimer ??= setTimeout(() => void this.#readProjects(), PROJECTS_AFTER);
  }

  async #readProjects(): Promise<void> {
    this.#projectsTimer = undefined;
    try {
      this.#projects = await api.projects();
      this.#publish();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.follow.error.set(error);
    }
  }

  #publishSoon(): void {
    this.#timer ??= setTimeout(() => this.#publish(), GATHER);
  }

  #publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const runs = [...this.#runs.all.values()].sort((a, b) => b.created_at - a.created_at);
    const trouble = runs.filter(isTrouble);
    for (const run of trouble.splice(MOST_TROUBLE)) this.#runs.remove(run.id);
    const told = new Set(trouble.map(({ id }) => id));
    const since = Date.now() * 1000 - ALERTS_FOR;
    this.state.set({
      alerts: [...this.#alerts].filter(({ at, run, level }) => at >= since && level !== "info" && !told.has(run))
        .sort((a, b) => b.at - a.at).slice(0, MOST_ALERTS),
      projects: [...this.#projects].sort((a, b) => (b.last_activity_at ?? b.created_at) - (a.last_activity_at ?? a.created_at)),
      active: runs.filter((run) => !hasEnded(run.state)),
      trouble,
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#projectsTimer);
    this.follow.close();
  }
}
