// One run: what became of it, its charts, its output.
import { useEffect, useMemo, useRef, useState } from "react";
import { api, mayRun, mayWrite } from "../api/client";
import type { Attempt, Environment, Run } from "../api/types";
import { ChartBus } from "../charts/bus";
import { COLOURS } from "../charts/palette";
import type { Line } from "../charts/line";
import { Ago, Button, Empty, Failure, Link, Skeleton, copy, useNow } from "../components/basics";
import { ChartControls, ChartGrid } from "../components/ChartGrid";
import { DeleteRuns, PurgeRuns } from "../components/DeleteRuns";
import { Dialog } from "../components/Dialog";
import { Editable } from "../components/Editable";
import { Icon } from "../components/Icon";
import { later } from "../components/Later";
import { Menu, type MenuItem } from "../components/Menu";
import { Pill } from "../components/Pill";
import { Tabs } from "../components/Tabs";
import { Tags } from "../components/Tags";
import { QueueDialog } from "../components/QueueActions";
import { MakeRoom } from "../components/MakeRoom";
import { attempt } from "../components/Toast";
import { formatCount, formatDuration } from "../format";
import { navigate, pathOf, place, setQuery } from "../router";
import { archive, change, lock } from "../store/changes";
import { slots } from "../store/colours";
import { durationOf, metricNames } from "../store/columns";
import { useOwned } from "../store/owned";
import { poolStore, queuedAs } from "../store/pool";
import { moveInLine } from "../store/poolchanges";
import { expected, waitSentence } from "../store/poolwords";
import { RunStore, endSentence, endedAs, hasEnded } from "../store/runs";
import { SeriesStore } from "../store/series";
import { useStore } from "../store/store";
import { restore } from "../store/trash";
import { RunLogs } from "./RunLogs";
import { RunOverview } from "./RunOverview";
import { RunSystem } from "./RunSystem";

type Tab = "overview" | "charts" | "system" | "media" | "logs" | "files" | "model";

const TABS: readonly (readonly [Tab, string])[] = [
  ["overview", "Overview"], ["charts", "Charts"], ["system", "System"], ["logs", "Logs"], ["files", "Files"], ["media", "Media"],
  ["model", "Model"],
];
const RunFiles = later((rest) => rest.RunFiles, "");
const RunMedia = later((rest) => rest.RunMedia, "");
const RunModel = later((rest) => rest.RunModel, "");

/** What belongs to one tab alone leaves the address with it. */
const OF_A_TAB = { step: null, stream: null, attempt: null, file: null };

export function RunPage({ id }: { id: string }) {
  const store = useOwned(() => new RunStore(id), [id]);
  return store ? <Loaded key={id} store={store} /> : null;
}

function Loaded({ store }: { store: RunStore }) {
  const run = useStore(store.run);
  const attempts = useStore(store.attempts);
  const environment = useStore(store.environment);
  const error = useStore(store.follow.error);
  if (!run) {
    return <div className="page">{error ? <Failure error={error} retry={store.follow.read} /> : <Skeleton rows={8} label="Reading the run" />}</div>;
  }
  return (
    <>
      {error ? <div className="page-note"><Failure error={error} retry={store.follow.read} /></div> : null}
      <RunFace run={run} environment={environment} attempts={attempts} />
    </>
  );
}

function RunFace({ run, environment, attempts }: { run: Run; environment: Environment | null; attempts: readonly Attempt[] | null }) {
  const { query } = useStore(place);
  const wanted = query.get("tab");
  const tab = TABS.find(([value]) => value === wanted)?.[0] ?? "overview";
  useEffect(() => {
    document.title = `${run.name} · ${run.project} · Martlet`;
  }, [run.name, run.project]);
  return (
    <div className="page">
      <RunHead run={run} />
      <Tabs label="Parts of the run" value={tab} onChange={(value) => setQuery({ ...OF_A_TAB, tab: value === "overview" ? null : value })}
        tabs={TABS} />
      <div role="tabpanel" aria-label={tab}>
        {tab === "overview" ? <RunOverview run={run} environment={environment} attempts={attempts} charts={<RunCharts run={run} />} /> : null}
        {tab === "charts" ? <RunCharts run={run} /> : null}
        {tab === "system" ? <RunSystem run={run} /> : null}
        {tab === "files" ? <RunFiles run={run} /> : null}
        {tab === "model" ? <RunModel run={run} /> : null}
        {tab === "media" ? <RunMedia run={run} /> : null}
        {tab === "logs" ? <RunLogs run={run} attempts={attempts} /> : null}
      </div>
    </div>
  );
}

function RunHead({ run }: { run: Run }) {
  const [asking, setAsking] = useState<"stop" | "delete" | "purge" | "queue" | "room" | null>(null);
  const entry = queuedAs(useStore(poolStore.state), run.id);
  const [renaming, setRenaming] = useState(0);
  const active = !hasEnded(run.state);
  const deleted = run.deleted_at ?? null;
  const items: MenuItem[] = [{ word: "Copy the id", icon: "copy", run: () => void copy(run.id) }];
  const [locked, archived] = [run.locked_at != null, run.archived_at != null];
  if (mayWrite() && deleted === null) {
    items.push(
      { word: "Rename", icon: "pencil", run: () => setRenaming(renaming + 1) },
      { word: archived ? "Back from the archive" : "Archive", icon: "archive", run: () => void archive([run], !archived) },
      { word: locked ? "Unlock" : "Lock", icon: "lock", run: () => void lock([run], !locked) },
    );
  }
  if (mayRun() && entry !== null) {
    items.push(
      { word: "To the front of the line", icon: "top", run: () => void moveInLine(entry, "front") },
      { word: "To the end of the line", icon: "download", run: () => void moveInLine(entry, "back") },
      { word: "Priority…", icon: "up", run: () => setAsking("queue") },
    );
  } else if (mayRun() && active && run.attempts > 0 && run.state === "running") {
    items.push({ word: "Make room for others…", icon: "out", run: () => setAsking("room") });
  }
  if (mayWrite() && deleted === null) items.push({ word: "Delete…", icon: "trash", danger: true, run: () => setAsking("delete") });
  // What is in the trash is no page to stay on; one that is gone has none.
  const gone = (done: boolean) => {
    setAsking(null);
    if (done) navigate(pathOf({ page: "runs", project: run.project }));
  };
  return (
    <header className="page-head">
      <div className="page-title">
        <p className="crumbs">
          <Link to={pathOf({ page: "runs", project: run.project })} className="quiet-link">Runs</Link>
          {run.sweep === null ? null : (
            <>
              <Icon name="right" size={12} />
              <Link to={pathOf({ page: "sweep", project: run.project, sweep: run.sweep })} className="quiet-link">
                {run.sweep_name ?? run.sweep}
              </Link>
              {run.trial === null ? null : <span className="muted">trial {run.trial}</span>}
            </>
          )}
        </p>
        <h1>
          <span className={`swatch line-${slots.of(run) % COLOURS}`} />
          <Editable what="the name" text={run.name} asked={renaming} onSave={(name) => change(run, { name })}>{run.name}</Editable>
          <Pill state={run.state} />
          {run.locked_at == null ? null : <span className="tag locked"><Icon name="lock" size={12} /> locked</span>}
          {run.archived_at == null ? null : <span className="tag"><Icon name="archive" size={12} /> archived</span>}
        </h1>
        <RunSentence run={run} />
        <Tags run={run} />
        {deleted === null ? null : (
          <div className="in-trash">
            <Icon name="trash" size={16} />
            <span>It is in the trash, deleted <Ago at={deleted} />.</span>
            {mayWrite() ? (
              <>
                <Button icon="undo" onClick={() => void restore([run])}>Restore</Button>
                <Button tone="danger" onClick={() => setAsking("purge")}>Delete for ever</Button>
              </>
            ) : null}
          </div>
        )}
      </div>
      {active && mayRun() && run.attempts > 0
        ? <Button tone="danger" icon="stop" onClick={() => setAsking("stop")}>Stop</Button> : null}
      <Menu label="More" items={items} />
      {asking === "stop" ? <StopRun run={run} onClose={() => setAsking(null)} /> : null}
      {asking === "queue" && entry !== null ? <QueueDialog entry={entry} onClose={() => setAsking(null)} /> : null}
      {asking === "room" ? <MakeRoom run={run.id} name={run.name} onClose={() => setAsking(null)} /> : null}
      {asking === "delete" ? <DeleteRuns runs={[run]} onClose={gone} /> : null}
      {asking === "purge" ? <PurgeRuns runs={[run]} onClose={gone} /> : null}
    </header>
  );
}

/** The state in a sentence. */
function RunSentence({ run }: { run: Run }) {
  const ended = hasEnded(run.state);
  return <p className="sentence">{ended ? <Sentence run={run} now={0} /> : <Ticking run={run} />}</p>;
}

function Ticking({ run }: { run: Run }) {
  return <Sentence run={run} now={useNow()} />;
}

function Sentence({ run, now }: { run: Run; now: number }) {
  const duration = durationOf(run, now);
  const time = duration === null ? null : formatDuration(duration);
  const at = run.last_step === null ? "" : ` at step ${formatCount(run.last_step)}`;
  switch (run.state) {
    case "queued": return <Waits run={run} now={now} />;
    case "starting": return <>Starting.</>;
    case "running": return <>Running for {time ?? "a moment"}{at === "" ? "" : `, now${at}`}.</>;
    case "lost": {
      const silent = run.last_seen_at === null ? "a while" : formatDuration(now - run.last_seen_at);
      return <>Nothing was heard from it for {silent}. When it stays silent it will count as crashed.</>;
    }
    default: {
      return <>{endSentence(run)}</>;
    }
  }
}

/** Why it waits, and for how long. */
function Waits({ run, now }: { run: Run; now: number }) {
  const entry = queuedAs(useStore(poolStore.state), run.id);
  if (entry === null) return <>Waiting for a free place to run.</>;
  return <>{waitSentence(entry)}{entry.starts_at === null ? "" : ` It should start ${expected(entry.starts_at, now)}.`}</>;
}

function StopRun({ run, onClose }: { run: Run; onClose: () => void }) {
  const stop = async () => {
    onClose();
    await attempt(() => api.stopRun(run.id), `${run.name} was asked to stop.`);
  };
  return (
    <Dialog title={`Stop ${run.name}?`} onClose={onClose}>
      <p>It is asked to end (SIGTERM), and gets its grace period to save what it needs; then it is killed with everything
        it started. What it has logged stays.</p>
      <footer className="dialog-foot">
        <Button onClick={onClose}>Let it run</Button>
        <Button tone="danger" icon="stop" onClick={() => void stop()}>Stop it</Button>
      </footer>
    </Dialog>
  );
}

function RunCharts({ run }: { run: Run }) {
  const [bus] = useState(() => new ChartBus());
  const ended = endedAs(run);
  const latest = useRef(ended);
  const store = useOwned(() => new SeriesStore(() => latest.current), [run.id]);
  useEffect(() => {
    latest.current = ended;
    store?.look();
  }, [store, ended]);
  useEffect(() => store?.setRuns([run.id]), [store, run.id]);
  const lines = useMemo((): Line[] => [{ id: run.id, name: run.name, slot: slots.of({ id: run.id, trial: run.trial }) % COLOURS }],
    [run.id, run.name, run.trial]);
  const names = metricNames([run]);
  if (!store) return null;
  if (names.length === 0) {
    return (
      <Empty icon="runs" title="No numbers were logged">
        {ended !== null ? "The run ended without logging a metric. Its output may say why." : "Charts appear with the first point."}
      </Empty>
    );
  }
  return (
    <div className="run-charts">
      <ChartControls bus={bus} names={names} runs={[run]} />
      <ChartGrid names={names} runs={[run]} lines={lines} bus={bus} store={store} scope={run.project} />
    </div>
  );
}
