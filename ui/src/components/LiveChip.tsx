// Whether what is on screen is live; when it is not, when the next try comes.
import { useEffect, useState } from "react";
import { type LiveState, live } from "../api/live";
import { useStore } from "../store/store";

export function LiveChip() {
  const state = useStore(live.state);
  const slow = useSlow(state);
  if (state.phase === "live") return <span className="live-chip on" role="status"><span className="dot" />Live</span>;
  if (!slow) return <span className="live-chip" role="status"><span className="dot" />Connecting</span>;
  return (
    <button type="button" className="live-chip off" onClick={live.retryNow} title="Try now">
      <span className="dot" />
      {state.phase === "waiting" ? <Countdown until={state.until} /> : "Reconnecting…"}
    </button>
  );
}

/** Whether a state that should be short has lasted: a page that has just opened is not "reconnecting". */
function useSlow(state: LiveState): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (state.phase === "live") setSlow(false);
    if (state.phase === "waiting") setSlow(true);
    if (state.phase !== "connecting") return;
    const timer = setTimeout(() => setSlow(true), 1000);
    return () => clearTimeout(timer);
  }, [state]);
  return slow;
}

function Countdown({ until }: { until: number }) {
  const [left, setLeft] = useState(until - Date.now());
  useEffect(() => {
    setLeft(until - Date.now());
    const timer = setInterval(() => setLeft(until - Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.max(0, Math.ceil(left / 1000));
  return <>Reconnecting{seconds > 0 ? ` in ${seconds} s` : "…"}</>;
}
