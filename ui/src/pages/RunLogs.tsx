// A run's output, as its terminal would have shown it, following what is written.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client";
import type { Attempt, Run } from "../api/types";
import { Button, Empty, Failure, Segmented, Skeleton } from "../components/basics";
import { attempt as attemptTo } from "../components/Toast";
import { formatCount, plural } from "../format";
import { spans } from "../store/ansi";
import { MOST_LINES } from "../store/lines";
import { LogStore } from "../store/log";
import { useOwned } from "../store/owned";
import { hasEnded } from "../store/runs";
import { useStore } from "../store/store";

type Stream = "stdout" | "stderr";

export function RunLogs({ run, attempts }: { run: Run; attempts: readonly Attempt[] | null }) {
  const [stream, setStream] = useState<Stream>("stdout");
  const [chosen, setChosen] = useState<number | null>(null);
  const number = chosen ?? run.attempt;
  if (run.attempts === 0) {
    return (
      <Empty icon="book" title="No output is kept of this run">
        {run.state === "queued" ? "It has not started yet." :
          "It was started outside Martlet, which sees only what it logs. martlet run -- COMMAND keeps the output as well."}
      </Empty>
    );
  }
  return (
    <div className="logs">
      <div className="toolbar">
        <Segmented label="Stream" value={stream} options={[["stdout", "stdout"], ["stderr", "stderr"]]} onChange={setStream} />
        {attempts !== null && attempts.length > 1 ? (
          <label className="control">
            <span>Attempt</span>
            <select value={number} onChange={(event) => setChosen(Number(event.target.value))}>
              {attempts.map((each) => <option key={each.number} value={each.number}>{each.number}</option>)}
            </select>
          </label>
        ) : null}
        <span className="grow" />
        <Button icon="download" onClick={() => void attemptTo(() => download(run, stream, number))}>Download</Button>
      </div>
      <LogOf key={`${stream}${number}`} run={run} stream={stream} number={number} />
    </div>
  );
}

async function download(run: Run, stream: Stream, number: number): Promise<void> {
  const url = URL.createObjectURL(await api.logFile(run.id, stream, number));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${run.name}-${number}-${stream}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function LogOf({ run, stream, number }: { run: Run; stream: Stream; number: number }) {
  const store = useOwned(() => new LogStore(run.id, stream, number), [run.id, stream, number]);
  return store ? <LogText store={store} active={!hasEnded(run.state)} /> : null;
}

const LINE = 18;
const SPARE = 20;

function LogText({ store, active }: { store: LogStore; active: boolean }) {
  const { lines, from, trimmed, ended, loading } = useStore(store.state);
  const error = useStore(store.error);
  const box = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [search, setSearch] = useState("");

  const found = useMemo(() => {
    if (search === "") return null;
    const needle = search.toLowerCase();
    return lines.flatMap((line, i) => (line.toLowerCase().includes(needle) ? [i] : []));
  }, [lines, search]);
  const count = found?.length ?? lines.length;

  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, count]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [loading]);

  const scrolled = () => {
    const element = box.current!;
    setView({ top: element.scrollTop, height: element.clientHeight });
    setFollow(element.scrollTop + element.clientHeight >= element.scrollHeight - LINE);
  };
  if (error && lines.length === 0) return <Failure error={error} retry={() => void store.begin()} />;
  if (loading) return <Skeleton rows={8} label="Reading the output" />;
  if (lines.length === 0) {
    return (
      <Empty icon="book" title={active ? "Nothing was written yet" : "Nothing was written"}>
        {active ? "Lines appear here as the program writes them." : "The program ended without writing to this stream."}
      </Empty>
    );
  }
  const first = Math.max(0, Math.floor(view.top / LINE) - SPARE);
  const last = Math.min(count, Math.ceil((view.top + view.height) / LINE) + SPARE);
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, i) => found?.[first + i] ?? first + i);
  return (
    <>
      {error ? <Failure error={error} retry={() => void store.earlier()} /> : null}
      <div className="log-tools">
        <input type="search" className="field" aria-label="Find in the output" placeholder="Find in the output"
          value={search} onChange={(event) => setSearch(event.target.value)} />
        <span className="muted small">
          {found === null ? plural(lines.length, "line") : `${formatCount(found.length)} of ${plural(lines.length, "line")}`}
          {from > 0 ? ", the last ones" : ""}
          {from > 0 && trimmed ? `: this page keeps about ${formatCount(MOST_LINES)}` : ""}
        </span>
        <span className="grow" />
        {from > 0 ? <Button onClick={() => void store.earlier()}>Load earlier</Button> : null}
        {ended ? null : (
          <label className="control">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />
            <span>Follow</span>
          </label>
        )}
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys */}
      <div className="log" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-label="Output">
        <div className="log-space" style={{ height: count * LINE }}>
          <div className="log-lines" style={{ transform: `translateY(${first * LINE}px)` }}>
            {shown.map((i) => (
              <div key={i} className="log-line">
                <span className="log-number" aria-hidden="true">{i + 1}</span>
                {spans(lines[i] ?? "").map((span, j) => (
                  <span key={j} className={span.style || undefined}>{span.text}</span>
                ))}
              </div>
            ))}
          </div>
        </div>
      </div>
    </>
  );
}
