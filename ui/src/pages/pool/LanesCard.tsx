// Who held which GPU, who holds it, and what is planned: lanes over time around now.
import { useEffect, useMemo } from "react";
import type { Pool } from "../../api/types";
import { COLOURS } from "../../charts/palette";
import type { LanesState } from "../../charts/lanes";
import { Segmented, useNow } from "../../components/basics";
import { LanesView } from "../../components/LanesView";
import { formatDuration } from "../../format";
import { place, setQuery } from "../../router";
import { slots } from "../../store/colours";
import { type Span, isPlanned, layLanes } from "../../store/lanes";
import { poolStore } from "../../store/pool";
import { formatClock } from "../../store/poolwords";
import { useStore } from "../../store/store";

const SPANS = [["15m", "15 min"], ["1h", "1 h"], ["4h", "4 h"]] as const;
const SECONDS: Record<(typeof SPANS)[number][0], number> = { "15m": 900, "1h": 3600, "4h": 14_400 };
const PAST = 0.65; // the part of the window that lies behind
const MOST_LANES = 48;

const slotOf = (span: Span): number => (span.run === null ? 0 : slots.of({ id: span.run, trial: span.trial }) % COLOURS);

/** What is known of a span, shortly. */
export function spanWords(span: Span, now: number): string {
  const where = span.devices.length > 0 ? `GPU ${span.devices.join(", ")}, ` : "";
  if (isPlanned(span)) return `should start at ${formatClock(span.from, now)}`;
  if (span.to !== null) return `${where}${formatDuration(span.to - span.from)}, until ${formatClock(span.to, now)}`;
  const end = span.planned === null ? "" : `, until about ${formatClock(span.planned, now)}`;
  return `${where}for ${formatDuration(now - span.from)}${end}`;
}

export function LanesCard({ pool }: { pool: Pool }) {
  const remembered = useStore(poolStore.remembered);
  const now = useNow();
  const asked = useStore(place).query.get("span");
  const span = SPANS.find(([value]) => value === asked)?.[0] ?? "1h";
  useEffect(() => poolStore.keepRecalling(), []);
  const all = SECONDS[span] * 1e6;
  const from = now - PAST * all;
  const lanes = useMemo(() => layLanes(pool, poolStore.seen.spans, [from, from + all]),
    // What was remembered is in the spans, too.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [pool, from, all, remembered]);
  const state = useMemo((): LanesState => ({
    lanes: lanes.slice(0, MOST_LANES), window: [from, from + all], now, slot: slotOf, told: (each) => spanWords(each, now),
  }), [lanes, from, all, now]);
  const hidden = lanes.length - state.lanes.length;
  return (
    <LanesView title="Over time" label="Who holds which GPU over time; arrow keys go from run to run, Enter opens one" state={state} head={<>
      <h3>Over time</h3>
      <Segmented label="How much time" value={span} options={SPANS} onChange={(value) => setQuery({ span: value === "1h" ? null : value })} />
    </>}>
      <p className="lanes-key small muted">
        <span><i className="key-done" />held</span><span><i className="key-plan" />planned</span>
        {hidden > 0 ? <span>{hidden} more lanes are not drawn; the tables below have all runs.</span> : null}
      </p>
    </LanesView>
  );
}
