// HTTP calls that begin sweeps, and have trials tried again (docs/api.md).
import { get, post } from "./client";
import type { Json, Sweep } from "./types";

const enc = encodeURIComponent;

/** What a new sweep may begin with. */
export interface SweepTemplate {
  source: string;
  filename: string | null;
  /** The folder on the server's machine that it was begun from; null: none is known. */
  workdir: string | null;
  /** What is run in place of the file's program; null: the file says it. */
  command: string[] | null;
  /** Where its folder of results is made; null: where the file or the server has it. */
  output: string | null;
  /** `server`, or the id of a sweep: whose environment its trials get. */
  environment_of: string;
}

export interface NewSweep extends SweepTemplate {
  workdir: string;
  project: string;
}

/** A file that the sweep had; people may change that of a paused sweep. */
export interface SweepVersion {
  version: number;
  source: string;
  since: number;
  by: string;
}

/** What a file would do. */
export interface SweepPlan {
  name: string;
  project: string;
  workdir: string;
  command: string[];
  rows: { name: string; words: string }[];
  /** The first ones, with the names of their runs. */
  points: { name: string; params: { [name: string]: Json } }[];
  /** Why they may be others; null: they will be these. */
  doubt: string | null;
  notes: string[];
}

export const sweepAPI = {
  /** A file with comments, or what a sweep was begun with. */
  template: (like: string | null, signal?: AbortSignal) =>
    get<SweepTemplate>(like === null ? "/sweep-template" : `/sweep-template?like=${enc(like)}`, signal),
  /** The newest of a project. */
  newest: async (project: string, count: number, signal?: AbortSignal) =>
    (await get<{ items: Sweep[] }>(`/sweeps?project=${enc(project)}&limit=${count}`, signal)).items,
  /** What `begin` would do; it begins nothing. */
  plan: (sweep: NewSweep) => post<SweepPlan>("/sweep-plan", sweep),
  /** Oldest first. */
  versions: async (sweep: string, signal?: AbortSignal) =>
    (await get<{ items: SweepVersion[] }>(`/sweeps/${enc(sweep)}/versions`, signal)).items,
  begin: (sweep: NewSweep) => post<Sweep>("/sweeps", sweep),
  /** Tries the point of a trial again, as so many trials with seeds of their own. */
  again: (sweep: string, trial: number, times: number) => post<Sweep>(`/sweeps/${enc(sweep)}/points`, { trial, times }),
};
