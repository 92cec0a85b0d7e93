// The lines of an output, of which only those in sight exist; found texts are marked, each line has an address.
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { LogLine } from "../api/tracking";
import { formatCount, formatTime } from "../format";
import { marked, spans } from "../store/ansi";
import type { LogLines } from "../store/loglines";
import type { LogSearch } from "../store/logsearch";
import { type Reel, drawAt, lastTop, needsWheel, reelHeight, scrollAt, topAt } from "../store/scroll";
import { useStore } from "../store/store";

const LINE = 18;
const SPARE = 20;
const LONGEST = 5000; // characters of a line that are shown

interface Props {
  lines: LogLines;
  search: LogSearch;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** A line that is to be seen; `turn` moves whenever that was asked. */
  goal: { line: number; turn: number } | null;
  chosen: number | null;
  onChoose: (line: number) => void;
  times: boolean;
  /** The first line in sight. */
  onTop: (line: number) => void;
}

export function Log({ lines, search, follow, onFollow, goal, chosen, onChoose, times, onTop }: Props) {
  const { total, version } = useStore(lines.state);
  const { matches, at } = useStore(search.state);
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, scroll: 0, height: 600 });
  const reel: Reel = { line: LINE, total: total ?? 0, height: view.height };
  const latest = useRef({ reel, top: view.top });
  /** A position that was set here, and must not be read back from the scroll bar: that is coarser. */
  const own = useRef<number | null>(null);

  const goTo = (top: number) => {
    const element = box.current;
    if (!element) return;
    const { reel: now } = latest.current;
    const clamped = Math.min(lastTop(now), Math.max(0, top));
    element.scrollTop = scrollAt(now, clamped);
    own.current = element.scrollTop;
    latest.current.top = clamped;
    setView({ top: clamped, scroll: element.scrollTop, height: element.clientHeight });
  };
  const going = useRef(goTo);
  // Before the effects below, which go somewhere.
  useLayoutEffect(() => {
    latest.current.reel = reel;
    going.current = goTo;
  });

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setView((before) => ({ ...before, height: element.clientHeight }));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    const wheel = (event: WheelEvent) => {
      if (!needsWheel(latest.current.reel) || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      going.current(latest.current.top + event.deltaY / LINE);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, []);
  useLayoutEffect(() => {
    if (follow) going.current(Infinity);
  }, [follow, total, view.height]);
  useLayoutEffect(() => {
    if (goal) going.current(goal.line - Math.floor(latest.current.reel.height / LINE / 3));
  }, [goal]);

  const scrolled = () => {
    const element = box.current!;
    if (own.current === element.scrollTop) return;
    own.current = null;
    const top = topAt(latest.current.reel, element.scrollTop);
    latest.current.top = top;
    setView({ top, scroll: element.scrollTop, height: element.clientHeight });
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - LINE;
    if (follow !== atEnd) onFollow(atEnd);
  };
  const first = Math.max(0, Math.floor(view.top) - SPARE);
  const last = Math.min(reel.total, Math.ceil(view.top + view.height / LINE) + SPARE);
  useEffect(() => lines.look(first, last - 1), [lines, first, last, version]);
  const topLine = Math.floor(view.top);
  useEffect(() => onTop(topLine), [onTop, topLine]);
  const ranges = useMemo(() => new Map(matches.map(({ n, ranges: found }) => [n, found])), [matches]);
  const stands = matches[at]?.n ?? null;
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
    <div className={times ? "log timed" : "log"} ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-label="Output" aria-live="off">
      <div className="log-space" style={{ height: reelHeight(reel) }}>
        <div className="log-lines" style={{ transform: `translateY(${drawAt(reel, first, view.top, view.scroll)}px)` }}>
          {shown.map((n) => (
            <Row key={n} n={n} line={lines.line(n)} ranges={ranges.get(n)} times={times} chosen={n === chosen} stands={n === stands} onChoose={onChoose} />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  n: number;
  line: LogLine | undefined;
  ranges: readonly (readonly [number, number])[] | undefined;
  times: boolean;
  chosen: boolean;
  /** The reader's walk through what was found stands here. */
  stands: boolean;
  onChoose: (line: number) => void;
}

const Row = memo(function Row({ n, line, ranges, times, chosen, stands, onChoose }: RowProps) {
  const text = line?.text ?? "";
  const cut = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  const name = ["log-line", line?.stream === "stderr" ? "stderr" : "", chosen ? "chosen" : "", stands ? "stands" : ""].filter(Boolean).join(" ");
  return (
    <div className={name} data-line={n + 1}>
      <a className="log-number" href={`#L${n + 1}`} aria-label={`Link to line ${n + 1}`} tabIndex={-1} onClick={(event) => {
        event.preventDefault();
        onChoose(n);
      }}>{n + 1}</a>
      {times ? <time className="log-time" title={line?.at == null ? undefined : formatTime(line.at)}>{line?.at == null ? "" : formatTime(line.at).slice(11)}</time> : null}
      {line === undefined ? <span className="faint">…</span> : null}
      {marked(spans(cut), ranges ?? []).map((span, j) => <span key={j} className={span.style || undefined}>{span.text}</span>)}
      {cut.length < text.length ? <span className="faint"> … {formatCount(text.length - cut.length)} characters more</span> : null}
    </div>
  );
}, (before, after) => before.line === after.line && before.ranges === after.ranges && before.times === after.times &&
  before.chosen === after.chosen && before.stands === after.stands && before.n === after.n && before.onChoose === after.onChoose);
