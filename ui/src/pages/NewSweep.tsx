// A new sweep: its file as text, what it would do, and its beginning. `like` in the address names a sweep whose file it begins with.
import { useEffect, useRef, useState } from "react";
import { ApiError, api, mayRun } from "../api/client";
import { type NewSweep, type SweepPlan, type SweepTemplate, sweepAPI } from "../api/sweeps";
import type { Sweep } from "../api/types";
import { Button, Empty, Failure, Link, Skeleton } from "../components/basics";
import { Icon } from "../components/Icon";
import { SourceField } from "../components/SourceField";
import { toast } from "../components/Toast";
import { formatCommand } from "../format";
import { useKeys } from "../keys";
import { navigate, pathOf, place } from "../router";
import { useOnce } from "../store/once";
import { flawsOf, memberOf } from "../store/sourceplace";
import { useStore } from "../store/store";
import { PlanCard } from "./sweep/PlanCard";

const RECENT = 50; // sweeps among which one of the project is looked for

export function NewSweepPage({ project }: { project: string }) {
  const like = useStore(place).query.get("like");
  useEffect(() => {
    document.title = `New sweep · ${project} · Martlet`;
  }, [project]);
  if (!mayRun()) {
    return (
      <div className="page narrow">
        <Empty icon="lock" title="This token begins no sweeps">
          <p>It takes one with the scope <code>run</code>; <code>martlet status --link</code> signs in with one.</p>
        </Empty>
      </div>
    );
  }
  return <Beginning key={`${project} ${like}`} project={project} like={like} />;
}

function Beginning({ project, like }: { project: string; like: string | null }) {
  const key = `${project} ${like}`;
  const { value, error, again } = useOnce(async (signal) => {
    const template = await sweepAPI.template(like, signal);
    if (like !== null) return { template, workdir: template.workdir ?? "", other: await api.sweep(like, signal) };
    // Most sweeps of a project are begun in one folder.
    const { items } = await api.recentSweeps(RECENT, signal);
    return { template, workdir: items.find((sweep) => sweep.project === project)?.workdir ?? "", other: null };
  }, key);
  if (value !== null) return <Form key={key} project={project} like={value.other} template={value.template} workdir={value.workdir} />;
  return <div className="page">{error ? <Failure error={error} retry={again} /> : <Skeleton rows={8} label="Reading the sweep file" />}</div>;
}

interface Draft {
  source: string;
  workdir: string;
}

/** What was written and not begun, by project and the sweep it is like: whoever looks something up finds it again. */
const drafts = new Map<string, Draft>();

function Form({ project, like, template, workdir }: { project: string; like: Sweep | null; template: SweepTemplate; workdir: string }) {
  const key = `${project} ${like?.id ?? null}`;
  const fresh = { source: template.source, workdir };
  const [draft, setDraft] = useState<Draft>(() => drafts.get(key) ?? fresh);
  const [plan, setPlan] = useState<{ plan: SweepPlan; of: Draft } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState<"check" | "start" | null>(null);
  const folder = useRef<HTMLInputElement>(null);
  const latest = useRef(draft);
  const shown = useRef(true);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  const isChanged = draft.source !== fresh.source || draft.workdir !== fresh.workdir;
  const write = (next: Draft) => {
    latest.current = next;
    setError(null);
    setDraft(next);
  };
  const change = (to: Partial<Draft>) => {
    const next = { ...draft, ...to };
    drafts.set(key, next);
    write(next);
  };
  const inFolder = memberOf(error) === "workdir" ? error : null;
  useEffect(() => {
    if (inFolder) folder.current?.focus();
  }, [inFolder]);
  const attempt = async (what: "check" | "start", work: (body: NewSweep) => Promise<void>) => {
    if (busy !== null) return;
    if (draft.workdir.trim() === "") {
      setError(new ApiError(0, "workdir", "Say where the trials start.", "A folder on the server's machine, from / on.", { key: "workdir" }));
      return;
    }
    setBusy(what);
    setError(null);
    try {
      await work({ ...template, source: draft.source, workdir: draft.workdir.trim(), project });
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      if (!shown.current) toast(`No sweep has begun: ${failure.message}`);
      // What is wrong in a text that is no longer there would disturb whoever writes the next.
      else if (latest.current === draft) {
        setError(failure);
        setPlan(null);
      }
    } finally {
      setBusy(null);
    }
  };
  const check = () => void attempt("check", async (body) => setPlan({ plan: await sweepAPI.plan(body), of: draft }));
  const start = () => void attempt("start", async (body) => {
    const sweep = await sweepAPI.begin(body);
    drafts.delete(key);
    toast(`Sweep ${sweep.name} has begun.`);
    if (shown.current) navigate(pathOf({ page: "sweep", project: sweep.project, sweep: sweep.id }));
  });
  useKeys([{ key: "c", does: "check the sweep file; in its field Ctrl+Enter", run: check }]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="page-title">
          <p className="crumbs"><Link to={pathOf({ page: "sweeps", project })} className="quiet-link">Sweeps</Link></p>
          <h1>New sweep</h1>
          <p className="sentence">{like === null ? `In project ${project}.` : (
            <>In project {project}, with the file of <Link to={pathOf({ page: "sweep", project: like.project, sweep: like.id })}>{like.name}</Link>.</>
          )}</p>
        </div>
        <div className="head-actions">
          <Button icon="check" onClick={check} disabled={busy !== null} title="Ctrl+Enter">Check</Button>
          <Button icon="play" tone="primary" onClick={start} disabled={busy !== null}>Start</Button>
        </div>
      </header>
      <div className="new-sweep">
        <section className="card" aria-label="Sweep file">
          <label className="labelled"><span>Working directory</span>
            <input ref={folder} className="field mono-field" value={draft.workdir} placeholder="/home/me/project" spellCheck={false} autoComplete="off" autoCapitalize="off"
              aria-invalid={inFolder !== null} aria-describedby="workdir-note" onChange={(event) => change({ workdir: event.target.value })} />
          </label>
          {inFolder ? (
            <p className="filter-error" id="workdir-note" role="alert">
              <Icon name="bolt" size={13} /><span>{inFolder.message}{inFolder.hint ? <span className="hint"> {inFolder.hint}</span> : null}</span>
            </p>
          ) : (
            <p className="muted small" id="workdir-note">
              Trials that the server runs start here, on its machine, with {like === null ? "the environment in which the server was started" : `the environment of ${like.name}`}.
            </p>
          )}
          {template.command === null ? null : (
            <p className="small">Run in place of the file's program, as then: <code>{formatCommand(template.command)}</code></p>
          )}
          {template.output === null ? null : <p className="small">Results go to <code>{template.output}</code>.</p>}
          <SourceField label="Sweep file" value={draft.source} error={inFolder ? null : error} onSubmit={check} onChange={(source) => change({ source })} />
          {isChanged ? (
            <p><Button icon="undo" onClick={() => {
              drafts.delete(key);
              write(fresh);
            }}>Undo all changes</Button></p>
          ) : null}
        </section>
        <PlanCard plan={plan?.plan ?? null} stale={plan !== null && (plan.of.source !== draft.source || plan.of.workdir !== draft.workdir)}
          busy={busy === "check"} refused={error !== null && flawsOf(error).some((flaw) => flaw.place !== null)} onCheck={check} />
      </div>
    </div>
  );
}
