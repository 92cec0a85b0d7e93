// Whether what is on screen is live; when it is not, when the next try comes.
import { live } from "../api/live";
import { useStore } from "../store/store";

export function LiveChip() {
  const state = useStore(live.state);
  switch (state.phase) {
    case "live": return <output className="live-chip on"><span className="dot" />Live</output>;
    case "connecting": return <output className="live-chip"><span className="dot" />Connecting</output>;
    case "reconnecting": return (
      <button type="button" className="live-chip off" onClick={live.retryNow} title="Try now">
        <span className="dot" />
        Reconnecting{state.seconds > 0 ? ` in ${state.seconds} s` : "…"}
      </button>
    );
  }
}
