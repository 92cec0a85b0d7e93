// Parts of the dashboard that are loaded after the first page is there, so that it is there sooner.
import { type ComponentType, useEffect } from "react";
import { ApiError } from "../api/client";
import { live } from "../api/live";
import { Store, useStore } from "../store/store";
import { Failure, Skeleton } from "./basics";

type Rest = typeof import("../rest");

const loaded = new Store<Rest | null>(null);
const failure = new Store<ApiError | null>(null);
let loading = false;

/** Loads what is not there yet; safe to call at any time. */
export function loadRest(): void {
  if (loading || loaded.value !== null) return;
  loading = true;
  import("../rest").then(
    (rest) => {
      failure.set(null);
      loaded.set(rest);
    },
    (reason: unknown) => failure.set(new ApiError(0, "part", "This part of the dashboard could not be loaded.",
      `The server may be away, or of another version than this page. ${String(reason)}`)),
  ).finally(() => (loading = false));
}

// A connected server that has not got it is newer than the page.
const again = (): void => (live.state.value.phase === "live" ? location.reload() : loadRest());

/** A component that stands for one of the rest; `frame` is the class of what is shown until that is there. */
export function later<P extends object>(choose: (rest: Rest) => ComponentType<P>, frame = "page"): ComponentType<P> {
  return function Later(props: P) {
    const rest = useStore(loaded);
    const error = useStore(failure);
    const { phase } = useStore(live.state);
    // It may come with the server.
    useEffect(loadRest, [phase]);
    if (rest === null) return <div className={frame}>{error ? <Failure error={error} retry={again} /> : <Skeleton rows={8} />}</div>;
    const Part = choose(rest);
    return <Part {...props} />;
  };
}
