// How full the pool is and how many wait, in the top bar.
import { poolStore } from "../store/pool";
import { meterWords } from "../store/poolwords";
import { useStore } from "../store/store";
import { Link } from "./basics";
import { Icon } from "./Icon";

export function PoolMeter() {
  const words = meterWords(useStore(poolStore.state));
  if (words === null) return null;
  return (
    <Link to="/pool" className="pool-meter" title={words.whole}>
      <Icon name="chip" size={15} />
      <span aria-hidden="true">{words.short}<span className="wide-only">{words.rest}</span></span>
      <span className="unseen">{words.whole}</span>
    </Link>
  );
}
