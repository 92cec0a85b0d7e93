// HTTP: the token, the one error shape, and a typed call for each route that the dashboard uses.
import { Store } from "../store/store";
import { decodeSeries } from "./frames";
import { parseLoose } from "./typed";
import type {
  Attempt, ErrorBody, HistoryPiece, HistoryRow, Json, LogPiece, Me, Page, Project, Run, SeriesAnswer, Sweep, Trial,
} from "./types";

const TOKEN = "martlet.token";

/** What a failed call says: a sentence, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    /** What belongs to the code: of a text that was not understood, where (`from`, `to`). */
    readonly details: Json = null,
  ) {
    super(message);
  }
}

/** Who is signed in: not known yet, nobody, or a principal with scopes. */
export type Session =
  | { phase: "unknown" }
  | { phase: "out"; why: string | null }
  | { phase: "unreachable"; error: ApiError }
  | { phase: "in"; me: Me };

export const session = new Store<Session>({ phase: "unknown" });

export function token(): string {
  return localStorage.getItem(TOKEN) ?? "";
}

export function signOut(why: string | null = null): void {
  localStorage.removeItem(TOKEN);
  session.set({ phase: "out", why });
}

/** Whether the person may start and stop things. */
export function mayRun(): boolean {
  const now = session.value;
  return now.phase === "in" && (now.me.scopes.includes("run") || now.me.scopes.includes("admin"));
}

/** Whether the person may take devices out of service: whoever may run anything of any project. */
export function mayTend(): boolean {
  const now = session.value;
  return mayRun() && now.phase === "in" && now.me.project === null && now.me.run === null;
}

/** Whether the person may change how the pool chooses. */
export function mayAdmin(): boolean {
  const now = session.value;
  return now.phase === "in" && now.me.scopes.includes("admin");
}

/** Whether the person may change what is kept. */
export function mayWrite(): boolean {
  const now = session.value;
  return now.phase === "in" && ["write", "run", "admin"].some((scope) => now.me.scopes.includes(scope));
}

export async function request(
  method: string, path: string, body?: unknown, signal?: AbortSignal, accept?: string,
): Promise<Response> {
  const headers: Record<string, string> = accept === undefined ? {} : { Accept: accept };
  if (token() !== "") headers["Authorization"] = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (signal) init.signal = signal;
    response = await fetch(`/api/v1${path}`, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "The Martlet server does not answer.",
      "Look whether it still runs with martlet status; martlet up starts it.");
  }
  if (response.ok) return response;
  throw await readError(response);
}

async function readError(response: Response): Promise<ApiError> {
  let body: { error?: ErrorBody } | null = null;
  try {
    body = (await response.json()) as { error?: ErrorBody };
  } catch {
    // Not ours: a proxy's page, say. The status is all there is to tell.
  }
  // While signing in a refused code or token is answered there; later it means that the token was revoked or ran out.
  if (response.status === 401 && session.value.phase === "in") {
    signOut("You were signed out: the token is no longer valid.");
  }
  const error = body?.error;
  if (error) return new ApiError(response.status, error.code, error.message, error.hint ?? null, error.details ?? null);
  return new ApiError(response.status, "unknown", `The server answered with status ${response.status}.`,
    "Something between this browser and Martlet may have answered in its place.");
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request("GET", path, undefined, signal)).json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await request("POST", path, body, signal)).json()) as T;
}

export async function send<T>(method: "PATCH" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  const text = await (await request(method, path, body)).text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

/** Reads every page of a list, telling each page as it comes. */
async function all<T>(path: string, onPage?: (items: T[]) => void, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<T> = await get<Page<T>>(`${path}${path.includes("?") ? "&" : "?"}limit=1000${next}`, signal);
    items.push(...page.items);
    onPage?.(page.items);
    cursor = page.next;
  } while (cursor !== null);
  return items;
}

const enc = encodeURIComponent;
const SERIES_TYPE = "application/vnd.martlet.series";

/** Which part of a series, how finely, and the metric that is its x axis. */
export interface SeriesWindow {
  from?: number;
  to?: number;
  buckets?: number;
  x?: string | null;
  /** Whether the names are those of the machine's metrics. */
  system?: boolean;
}

export const api = {
  me: () => get<Me>("/me"),
  version: () => get<{ name: string; version: string; api: number }>("/version"),
  projects: (signal?: AbortSignal) => all<Project>("/projects", undefined, signal),
  recentRuns: (states: string, limit: number, signal?: AbortSignal) =>
    get<Page<Run>>(`/runs?state=${enc(states)}&limit=${limit}`, signal),
  run: (run: string, signal?: AbortSignal) => get<Run>(`/runs/${enc(run)}`, signal),
  attempts: (run: string, signal?: AbortSignal) => get<{ items: Attempt[] }>(`/runs/${enc(run)}/attempts`, signal),
  /** A project's runs that are in the trash. */
  trash: (project: string, signal?: AbortSignal) => all<Run>(`/runs?project=${enc(project)}&deleted=true`, undefined, signal),
  /** Into the trash, or with `purge` for ever. */
  deleteRun: async (run: string, purge = false) =>
    (await (await request("DELETE", `/runs/${enc(run)}${purge ? "?purge=true" : ""}`)).json()) as Run,
  restoreRun: (run: string) => post<Run>(`/runs/${enc(run)}/restore`, {}),
  stopRun: (run: string) => post<Run>(`/runs/${enc(run)}/stop`, {}),
  series: async (
    runs: readonly string[], keys: readonly string[], wanted: SeriesWindow = {}, signal?: AbortSignal,
  ): Promise<SeriesAnswer[]> => {
    const { x, from, to, buckets = 2000, system = false } = wanted;
    const body = {
      runs, keys, buckets, ...(x == null ? {} : { x }), ...(system ? { system } : {}),
      ...(from === undefined ? {} : { from_step: from }), ...(to === undefined ? {} : { to_step: to }),
    };
    const bytes = await (await request("POST", "/series", body, signal, SERIES_TYPE)).arrayBuffer();
    try {
      return decodeSeries(bytes);
    } catch (error) {
      throw new ApiError(0, "series", "The server's answer to a series read cannot be read.",
        `Server and page may be of different versions: load the page anew. ${String(error)}`);
    }
  },
  /** A piece of one name's history, in the order of arrival: rows after `after`, and whether more follow. */
  history: async (run: string, key: string, after: number | null, limit: number, signal?: AbortSignal): Promise<HistoryPiece> => {
    const from = after === null ? "" : `&after=${after}`;
    const response = await request(
      "GET", `/runs/${enc(run)}/history?format=jsonl&keys=${enc(JSON.stringify([key]))}&limit=${limit}${from}`, undefined, signal,
    );
    const text = await response.text();
    const rows = text.split("\n").filter((line) => line !== "").map((line) => parseLoose(line) as unknown as HistoryRow);
    return { rows, size: text.length, more: response.headers.get("Martlet-Next") !== null };
  },
  /** An address under which this page can show a blob, for a while. */
  address: (run: string, blob: string, wanted: { name?: string; type?: string; expires_in_s?: number }) =>
    post<{ url: string; expires_at: number }>(`/runs/${enc(run)}/blobs/${enc(blob)}/address`, wanted),
  log: (run: string, stream: string, attempt: number, offset: number, limit: number, signal?: AbortSignal) =>
    get<LogPiece>(`/runs/${enc(run)}/logs?stream=${stream}&attempt=${attempt}&offset=${offset}&limit=${limit}`, signal),
  logFile: async (run: string, stream: string, attempt: number) =>
    (await request("GET", `/runs/${enc(run)}/logs/download?stream=${stream}&attempt=${attempt}`)).blob(),
  sweeps: (project: string, signal?: AbortSignal) =>
    all<Sweep>(`/sweeps?project=${enc(project)}`, undefined, signal),
  recentSweeps: (limit: number, signal?: AbortSignal) => get<Page<Sweep>>(`/sweeps?limit=${limit}`, signal),
  sweep: (sweep: string, signal?: AbortSignal) => get<Sweep>(`/sweeps/${enc(sweep)}`, signal),
  trials: (sweep: string, signal?: AbortSignal) => get<{ items: Trial[] }>(`/sweeps/${enc(sweep)}/trials`, signal),
  stopSweep: (sweep: string, mode: "now" | "drain") => post<Sweep>(`/sweeps/${enc(sweep)}/stop`, { mode }),
};

const CODE = /^#(?:.*&)?code=([^&]+)/;

/** Whether the address holds a sign-in code. */
export function hasCode(): boolean {
  return CODE.test(location.hash);
}

/** Takes the one-time code out of the address, if there is one, and gives it back. */
function takeCode(): string | null {
  const match = CODE.exec(location.hash);
  if (!match) return null;
  // Out of the address bar and the history before anything else happens: it must not be copied along with a link.
  history.replaceState(history.state, "", location.pathname + location.search);
  return decodeURIComponent(match[1]!);
}

/** Signs in with the code in the address, or with the token kept from before, or without one where that is allowed. */
export async function signIn(): Promise<void> {
  const code = takeCode();
  if (code !== null) {
    try {
      const answer = await post<{ token: string }>("/session", { code, name: "browser" });
      localStorage.setItem(TOKEN, answer.token);
    } catch (error) {
      // A token kept from before may still be good: an old link opened twice is no reason to lock anybody out.
      if (token() === "") {
        signOut(error instanceof ApiError ? error.message : String(error));
        return;
      }
    }
  }
  try {
    session.set({ phase: "in", me: await api.me() });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) signOut(token() === "" ? null : "The token kept in this browser is no longer valid.");
    else session.set({ phase: "unreachable", error });
  }
}
