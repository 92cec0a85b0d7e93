// A run's output, as its terminal would have shown it: searched, followed, with a link to each line.
import { useCallback, useEffect, useMemo, useState } from "react";
import { api } from "../api/client";
import type { LogStream } from "../api/tracking";
import type { Attempt, Run } from "../api/types";
import { Button, Empty, Failure, IconButton, Segmented, Skeleton } from "../components/basics";
import { Log } from "../components/Log";
import { Menu } from "../components/Menu";
import { attempt as attemptTo, toast } from "../components/Toast";
import { formatCount, plural } from "../format";
import { useKeys } from "../keys";
import { place, setQuery } from "../router";
import { LogLines } from "../store/loglines";
import { LogSearch } from "../store/logsearch";
import { useOwned } from "../store/owned";
import { hasEnded } from "../store/runs";
import { useStore } from "../store/store";

const STREAMS: readonly (readonly [LogStream, string])[] = [["all", "All"], ["stdout", "stdout"], ["stderr", "stderr"]];

export function RunLogs({ run, attempts }: { run: Run; attempts: readonly Attempt[] | null }) {
  const { query } = useStore(place);
  const stream = STREAMS.find(([value]) => value === query.get("stream"))?.[0] ?? "all";
  const number = Number(query.get("attempt") ?? "");
  const attempt = Number.isInteger(number) && number > 0 ? number : run.attempts > 0 ? run.attempt : null;
  const active = !hasEnded(run.state);
  const key = `${run.id} ${stream} ${attempt}`;
  const lines = useOwned(() => new LogLines(run.id, stream, attempt, active), [key, active]);
  const search = useOwned(() => new LogSearch(run.id, stream, attempt), [key]);
  if (!lines || !search) return null;
  return <Output run={run} stream={stream} attempt={attempt} attempts={attempts} lines={lines} search={search} />;
}

interface Props {
  run: Run;
  stream: LogStream;
  attempt: number | null;
  attempts: readonly Attempt[] | null;
  lines: LogLines;
  search: LogSearch;
}

/** The line that the address names: `#L120` is the line 119, since people count from 1. */
function lineInAddress(): number | null {
  const match = /^#L(\d+)$/.exec(location.hash);
  return match ? Math.max(0, Number(match[1]) - 1) : null;
}

function Output({ run, stream, attempt, attempts, lines, search }: Props) {
  const state = useStore(lines.state);
  const error = useStore(lines.error);
  const [chosen, setChosen] = useState<number | null>(lineInAddress);
  const [goal, setGoal] = useState<{ line: number; turn: number } | null>(() => (chosen === null ? null : { line: chosen, turn: 0 }));
  const [follow, setFollow] = useState(chosen === null);
  const [times, setTimes] = useState(false);
  const [top, setTop] = useState(0);
  const active = !hasEnded(run.state);
  const go = (line: number | null) => {
    if (line === null) return;
    setFollow(false);
    setGoal({ line, turn: (goal?.turn ?? 0) + 1 });
    setChosen(line);
  };
  const choose = useCallback((line: number) => {
    setChosen(line);
    history.replaceState(history.state, "", `${location.pathname}${location.search}#L${line + 1}`);
  }, []);
  const trouble = async () => {
    await attemptTo(async () => {
      const line = await search.firstTrouble();
      if (line === null) toast("No line tells of an error.");
      go(line);
    });
  };
  useKeys([
    { key: "/", does: "find in the output", run: () => document.querySelector<HTMLInputElement>(".log-tools input[type=search]")?.focus() },
    { key: "n", does: "next line that was found", run: () => void search.step(1, top).then(go) },
    { key: "N", does: "line that was found before", run: () => void search.step(-1, top).then(go) },
    { key: "e", does: "first line that tells of an error", run: () => void trouble() },
  ]);
  const known = attempts !== null && attempts.length > 0 ? attempts.map((each) => each.number) : Array.from({ length: state.attempts }, (_, i) => i + 1);
  const { total } = state;
  useEffect(() => {
    if (state.attempt) search.pin(state.attempt);
  }, [search, state.attempt]);
  useEffect(() => search.grown(), [search, total]);
  // Of a run from outside another client may have begun to write since.
  const newest = known[known.length - 1] ?? 0;
  return (
    <div className="logs">
      <div className="toolbar log-bar">
        <Segmented label="Stream" value={stream} options={STREAMS} onChange={(value) => setQuery({ stream: value === "all" ? null : value })} />
        {known.length > 1 ? (
          <label className="control">
            <span>Attempt</span>
            <select value={attempt ?? state.attempt ?? ""} onChange={(event) => setQuery({ attempt: event.target.value })}>
              {known.map((each) => <option key={each} value={each}>{each}</option>)}
            </select>
          </label>
        ) : null}
        {attempt === null && state.attempt && newest > state.attempt
          ? <Button onClick={() => setQuery({ attempt: String(newest) })}>Show attempt {newest}, which began since</Button> : null}
        <span className="grow" />
        <label className="control">
          <input type="checkbox" checked={times} onChange={(event) => setTimes(event.target.checked)} /><span>Times</span>
        </label>
        {state.ended && !active ? null : (
          <label className="control">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /><span>Follow</span>
          </label>
        )}
        <Button icon="bolt" onClick={() => void trouble()}>First error</Button>
        <Menu label="Download the output" icon="download" items={(["stdout", "stderr"] as const).map((each) => ({
          word: `Download ${each}`, icon: "download" as const, run: () => void attemptTo(() => download(run, each, state.attempt ?? run.attempt)),
        }))} />
      </div>
      <Finding search={search} top={top} onGo={go} total={total} />
      {error ? <Failure error={error} retry={() => void lines.refresh()} /> : null}
      {total === null ? (error ? null : <Skeleton rows={8} label="Reading the output" />) : total === 0 ? <NoOutput run={run} active={active} stream={stream} />
        : <Log lines={lines} search={search} follow={follow} onFollow={setFollow} goal={goal} chosen={chosen} onChoose={choose} times={times} onTop={setTop} />}
    </div>
  );
}

function NoOutput({ run, active, stream }: { run: Run; active: boolean; stream: LogStream }) {
  if (run.state === "queued") return <Empty icon="book" title="No output yet">It has not started.</Empty>;
  return (
    <Empty icon="book" title={active ? "Nothing was written yet" : "Nothing was written"}>
      {active ? "Lines appear here as the program writes them."
        : stream !== "all" ? `The program ended without writing to ${stream}.`
          : run.attempts === 0 ? "No output was sent along with this run. The Python client captures it, and martlet run -- COMMAND keeps it."
            : "The program ended without writing anything."}
    </Empty>
  );
}

function Finding({ search, top, onGo, total }: { search: LogSearch; top: number; onGo: (line: number | null) => void; total: number | null }) {
  const { text, case: exact, regex, count, at, complete, searching, matches } = useStore(search.state);
  const error = useStore(search.error);
  const words = useMemo(() => {
    if (text === "") return total === null ? "" : plural(total, "line");
    if (searching && count === null) return "searching…";
    if (count === null) return "";
    const all = `${complete ? "" : "at least "}${plural(count, "line")}`;
    return at < 0 ? all : `${formatCount(at + 1)} of ${all}`;
  }, [text, total, searching, count, at, complete]);
  useEffect(() => search.write({}), [search]);
  const step = (by: 1 | -1) => void search.step(by, top).then(onGo);
  return (
    <div className="log-tools">
      <input type="search" className="field" aria-label="Find in the output" placeholder="Find in the output" value={text} spellCheck={false}
        onChange={(event) => search.write({ text: event.target.value })}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          step(event.shiftKey ? -1 : 1);
        }} />
      <button type="button" className="toggle" aria-pressed={exact} title="Upper and lower case" aria-label="Upper and lower case"
        onClick={() => search.write({ case: !exact })}>Aa</button>
      <button type="button" className="toggle" aria-pressed={regex} title="Use regular expression" aria-label="Use regular expression"
        onClick={() => search.write({ regex: !regex })}>.*</button>
      <span className="found-nav">
        <IconButton icon="up" label="The one before" className="small" onClick={() => step(-1)} />
        <IconButton icon="chevron" label="The next one" className="small" onClick={() => step(1)} />
      </span>
      <output className="muted small" aria-live="polite">{words}</output>
      {error ? <span className="filter-error" role="alert">{error.message} {error.hint}</span> : null}
      {text !== "" && matches.length === 0 && !searching && !error && count === 0 && complete ? <span className="muted small">in none of the lines</span> : null}
    </div>
  );
}

async function download(run: Run, stream: "stdout" | "stderr", number: number): Promise<void> {
  const url = URL.createObjectURL(await api.logFile(run.id, stream, number));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${run.name}-${number}-${stream}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
