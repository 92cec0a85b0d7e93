// Parts of the dashboard that are loaded when they are first wanted, so that the first page is there sooner.
import { type ComponentType, useEffect } from "react";
import { ApiError } from "../api/client";
import { live } from "../api/live";
import { Store, useStore } from "../store/store";
import { Failure, Skeleton } from "./basics";

type Loaded<P> = { part: ComponentType<P> } | { error: ApiError } | null;

/** A component that stands for one that is loaded when it is first shown; `frame` is the class of what is shown till then. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, frame = "page"): ComponentType<P> {
  const loaded = new Store<Loaded<P>>(null);
  let loading = false;
  const begin = (): void => {
    const now = loaded.value;
    if (loading || (now !== null && "part" in now)) return;
    loading = true;
    load().then((part) => loaded.set({ part }), (reason: unknown) => {
      loaded.set({
        error: new ApiError(0, "part", "This part of the dashboard could not be loaded.",
          `The server may be away, or of another version than this page. ${String(reason)}`),
      });
    }).finally(() => (loading = false));
  };
  // A connected server that has not got the part is newer than the page.
  const again = (): void => (live.state.value.phase === "live" ? location.reload() : begin());
  return function Later(props: P) {
    const now = useStore(loaded);
    useEffect(begin, []);
    // It comes with the server.
    const { phase } = useStore(live.state);
    useEffect(() => {
      if (phase === "live") begin();
    }, [phase]);
    if (now === null) return <div className={frame}><Skeleton rows={8} /></div>;
    if ("error" in now) return <div className={frame}><Failure error={now.error} retry={again} /></div>;
    const Part = now.part;
    return <Part {...props} />;
  };
}
