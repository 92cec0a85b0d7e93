// One field to go anywhere: pages, projects, GPUs, sweeps, and runs that the server finds by name.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, api, mayRun } from "../api/client";
import { tracking } from "../api/tracking";
import type { Project, Run, Sweep } from "../api/types";
import { navigate, pathOf } from "../router";
import { type Goal, asFilter, fitting } from "../store/palette";
import { poolStore } from "../store/pool";
import { deviceWord } from "../store/poolwords";
import { useStore } from "../store/store";
import { Dialog } from "./Dialog";

const MOST = 12;
const AFTER = 150; // milliseconds without a key after which the server is asked

interface Props {
  project: string | null;
  projects: readonly Project[];
  onClose: () => void;
}

export function Palette({ project, projects, onClose }: Props) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const pool = useStore(poolStore.state);
  const sweeps = useSweeps();
  const runs = useFound(text);
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  // After the dialog has opened, which takes the focus to its first button: who opened it wants to write at once.
  useEffect(() => field.current?.focus(), []);
  const goals = useMemo(() => [
    ...pages(project),
    ...(pool?.devices ?? []).map((device): Goal => ({
      key: `gpu ${device.index}`, kind: "GPU", title: `GPU ${device.index}`, detail: `${device.name} ${deviceWord(device).word}`.trim(),
      to: `/pool?gpu=${device.index}`,
    })),
    ...sweeps.map((sweep): Goal => ({
      key: `sweep ${sweep.id}`, kind: "sweep", title: sweep.name, detail: `${sweep.project}, ${sweep.state}`,
      to: pathOf({ page: "sweep", project: sweep.project, sweep: sweep.id }),
    })),
    ...projects.map(({ name }): Goal => ({ key: `project ${name}`, kind: "project", title: name, detail: "", to: pathOf({ page: "runs", project: name }) })),
  ], [project, pool, sweeps, projects]);
  const found = useMemo(() => {
    const own = fitting(goals, text, MOST);
    return [...own, ...runs.map(runGoal)].slice(0, MOST + 8);
  }, [goals, text, runs]);
  const chosen = Math.min(at, Math.max(0, found.length - 1));
  useEffect(() => {
    // In braces: newer browsers give a promise for it, which is no clean-up.
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen, found]);
  const go = (goal: Goal | undefined) => {
    if (!goal) return;
    onClose();
    navigate(goal.to);
  };
  const key = (event: KeyboardEvent) => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    if (event.key === "Enter" && !event.nativeEvent.isComposing) go(found[chosen]);
    else if (to !== undefined) setAt((to + found.length) % Math.max(1, found.length));
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <input ref={field} className="field palette-field" value={text} placeholder="A page, a GPU, a sweep, a run" aria-label="Where to" role="combobox"
        aria-expanded={found.length > 0} aria-controls="palette-list" aria-autocomplete="list" spellCheck={false}
        aria-activedescendant={found.length > 0 ? `palette-${chosen}` : undefined} onKeyDown={key}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }} />
      {/* The list belongs to the field, which keeps the focus and hears the keys: a select cannot do that. */}
      {/* eslint-disable-next-line jsx-a11y/prefer-tag-over-role */}
      <div className="palette-list" id="palette-list" role="listbox" aria-label="Places" ref={list}>
        {found.map((goal, i) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/prefer-tag-over-role
          <div key={goal.key} id={`palette-${i}`} role="option" aria-selected={i === chosen} tabIndex={-1} onClick={() => go(goal)}>
            <span className="tag">{goal.kind}</span><span className="clip">{goal.title}</span><span className="muted small clip">{goal.detail}</span>
          </div>
        ))}
      </div>
      {found.length === 0 ? <output className="muted">Nothing is called “{text.trim()}”.</output> : null}
    </Dialog>
  );
}

function pages(project: string | null): Goal[] {
  const page = (title: string, to: string, detail = ""): Goal => ({ key: `page ${title}`, kind: "page", title, detail, to });
  return [
    page("Home", "/"),
    ...(project === null ? [] : [
      page("Runs", pathOf({ page: "runs", project }), project), page("Sweeps", pathOf({ page: "sweeps", project }), project),
      ...(mayRun() ? [page("New sweep", pathOf({ page: "newsweep", project }), project)] : []),
    ]),
    page("Pool", "/pool"),
  ];
}

const runGoal = (run: Run): Goal => ({
  key: `run ${run.id}`, kind: "run", title: run.name, detail: `${run.project}, ${run.state}`, to: pathOf({ page: "run", project: run.project, run: run.id }),
});

/** The sweeps of late; without an answer there are none to go to. */
function useSweeps(): readonly Sweep[] {
  const [sweeps, setSweeps] = useState<readonly Sweep[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    api.recentSweeps(50, abort.signal).then(({ items }) => setSweeps(items), () => {});
    return () => abort.abort();
  }, []);
  return sweeps;
}

/** Runs whose name holds the text, newest first. */
function useFound(text: string): readonly Run[] {
  const [found, setFound] = useState<{ text: string; runs: readonly Run[] }>({ text: "", runs: [] });
  const written = text.trim();
  useEffect(() => {
    if (written.length < 2) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      tracking.runs(null, { q: asFilter(written), sort: "-created", archived: "any" }, 8, null, abort.signal).then(
        ({ items }) => setFound({ text: written, runs: items }),
        (error: unknown) => {
          if (!abort.signal.aborted && !(error instanceof ApiError)) throw error;
        },
      );
    }, AFTER);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [written]);
  return written.length < 2 ? [] : found.runs;
}
