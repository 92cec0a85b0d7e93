// Real paths: what an address means, how one is written, and the store that says where the reader is.
import { Store } from "./store/store";

export type Route =
  | { page: "home" }
  | { page: "pool" }
  | { page: "runs"; project: string }
  | { page: "run"; project: string; run: string }
  | { page: "compare"; project: string }
  | { page: "sweeps"; project: string }
  | { page: "sweep"; project: string; sweep: string }
  | { page: "newsweep"; project: string }
  | { page: "missing"; path: string };

/** Reads a path. Empty segments and a trailing slash do not matter. */
export function parseRoute(path: string): Route {
  let parts: string[];
  try {
    parts = path.split("/").filter((part) => part !== "").map(decodeURIComponent);
  } catch {
    return { page: "missing", path }; // a stray % in a hand-made address
  }
  if (parts.length === 0) return { page: "home" };
  const [head, project, kind, id] = parts;
  if (head === "pool" && project === undefined) return { page: "pool" };
  if (head === "p" && project !== undefined && parts.length <= 4) {
    if (kind === undefined) return { page: "runs", project };
    if (kind === "runs") return id === undefined ? { page: "runs", project } : { page: "run", project, run: id };
    if (kind === "compare" && id === undefined) return { page: "compare", project };
    if (kind === "sweeps") {
      // No id is so short.
      if (id === "new") return { page: "newsweep", project };
      return id === undefined ? { page: "sweeps", project } : { page: "sweep", project, sweep: id };
    }
  }
  return { page: "missing", path };
}

/** Writes a route as a path. */
export function pathOf(route: Route): string {
  const enc = encodeURIComponent;
  switch (route.page) {
    case "home": return "/";
    case "pool": return "/pool";
    case "runs": return `/p/${enc(route.project)}/runs`;
    case "run": return `/p/${enc(route.project)}/runs/${enc(route.run)}`;
    case "compare": return `/p/${enc(route.project)}/compare`;
    case "sweeps": return `/p/${enc(route.project)}/sweeps`;
    case "newsweep": return `/p/${enc(route.project)}/sweeps/new`;
    case "sweep": return `/p/${enc(route.project)}/sweeps/${enc(route.sweep)}`;
    case "missing": return route.path;
  }
}

/** The project that a route lies in. */
export function projectOf(route: Route): string | null {
  return "project" in route ? route.project : null;
}

export interface Place {
  route: Route;
  query: URLSearchParams;
}

function here(): Place {
  return { route: parseRoute(location.pathname), query: new URLSearchParams(location.search) };
}

export const place = new Store<Place>(
  typeof location === "undefined" ? { route: { page: "home" }, query: new URLSearchParams() } : here(),
);

if (typeof window !== "undefined") addEventListener("popstate", () => place.set(here()));

/** Goes to a path of ours. */
export function navigate(path: string): void {
  if (path === location.pathname + location.search) return;
  history.pushState(null, "", path);
  place.set(here());
  scrollTo(0, 0);
}

/** Writes parts of the view into the address without a step in the history; null removes one. */
export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  history.replaceState(history.state, "", location.pathname + (text === "" ? "" : `?${text}`));
  place.set(here());
}
