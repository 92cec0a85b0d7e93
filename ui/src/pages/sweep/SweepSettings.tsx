// How a sweep goes on, changed where it stands: how many trials at a time and at most, its priority, how long a trial may take.
import { type FormEvent, useEffect, useRef, useState } from "react";
import { mayRun } from "../../api/client";
import type { Sweep } from "../../api/types";
import { CopyButton, IconButton } from "../../components/basics";
import { formatCount, formatDuration } from "../../format";
import { changeSweep } from "../../store/poolchanges";
import { progressOf, sweepHasEnded } from "../../store/sweeps";
import { readSpan } from "../../store/spans";

const QUIET = 600; // milliseconds without another click after which a number is sent

export function SweepSettings({ sweep }: { sweep: Sweep }) {
  const auto = sweep.max_parallel_auto ?? false;
  if (!mayRun() || sweepHasEnded(sweep.state)) {
    return (
      <dl className="times settings">
        <div><dt>At a time</dt><dd>{auto ? `auto, now ${sweep.max_parallel}` : sweep.max_parallel === 0 ? "agents run them" : sweep.max_parallel}</dd></div>
        {sweep.budget === null ? null : <div><dt>Trials at most</dt><dd>{formatCount(sweep.budget)}</dd></div>}
        {sweep.priority ? <div><dt>Priority</dt><dd>{sweep.priority}</dd></div> : null}
        {sweep.timeout === null ? null : <div><dt>A trial may take</dt><dd>{formatDuration(sweep.timeout * 1e6)}</dd></div>}
      </dl>
    );
  }
  return (
    <fieldset className="settings" aria-label="How it goes on">
      <div className="setting">
        <span className="setting-name" id="at-a-time">At a time</span>
        <span className="setting-row">
          <Stepper label="Trials at a time" value={sweep.max_parallel} least={0} most={100_000} onChange={(value) => changeSweep(sweep, { max_parallel: value })} />
          <button type="button" className="toggle-word" aria-pressed={auto} title="As many as there is room for"
            onClick={() => void changeSweep(sweep, { max_parallel: auto ? sweep.max_parallel : "auto" })}>auto</button>
        </span>
      </div>
      <div className="setting">
        <span className="setting-name">Priority</span>
        <Stepper label="Priority" value={sweep.priority ?? 0} least={-1_000_000} most={1_000_000} onChange={(value) => changeSweep(sweep, { priority: value })} />
      </div>
      <div className="setting">
        <span className="setting-name">A trial may take</span>
        <Timeout sweep={sweep} />
      </div>
      <div className="setting">
        <span className="setting-name">Trials at most</span>
        <Budget sweep={sweep} />
      </div>
      {sweep.max_parallel === 0 && !auto ? (
        <p className="small setting-note agents-note">
          <span>No more begin here: agents run what comes, each begun on its machine with</span>
          <code>martlet agent {sweep.id}</code><CopyButton text={`martlet agent ${sweep.id}`} label="Copy the command" />
        </p>
      ) : null}
      {sweep.max_parallel_reason ? <p className="muted small setting-note">{sweep.max_parallel_reason}</p> : null}
    </fieldset>
  );
}

/** A whole number with buttons beside it; what was clicked or written is sent when nothing more comes. */
function Stepper({ label, value, least, most, onChange }: {
  label: string; value: number; least: number; most: number; onChange: (value: number) => Promise<boolean>;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<number | undefined>(undefined);
  const asked = useRef<string | null>(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const text = draft ?? String(value);
  const read = /^\s*[-−]?\d+\s*$/.test(text) ? Number(text.replace("−", "-")) : NaN;
  const wrong = !(read >= least && read <= most);
  const send = async (what: string) => {
    clearTimeout(timer.current);
    const number = Number(what.replace("−", "-"));
    if (what.trim() === "" || !Number.isInteger(number) || number < least || number > most || asked.current === what) return;
    asked.current = what;
    if (number !== value) await onChange(number);
    asked.current = null;
    // What was written meanwhile stays.
    setDraft((now) => (now === what ? null : now));
  };
  const step = (by: number) => {
    const next = String(Math.min(most, Math.max(least, (Number.isFinite(read) ? read : value) + by)));
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void send(next), QUIET);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(text);
  };
  return (
    <form className="stepper" onSubmit={submit}>
      <IconButton icon="minus" label={`${label}: less`} className="small" onClick={() => step(-1)} />
      <input className="field" inputMode="numeric" aria-label={label} value={text} aria-invalid={wrong} size={Math.max(2, text.length)}
        title={wrong ? `A whole number from ${least.toLocaleString("en-US")} to ${most.toLocaleString("en-US")}` : undefined}
        onChange={(event) => {
          clearTimeout(timer.current);
          setDraft(event.target.value);
        }}
        onKeyDown={(event) => event.key === "Escape" && setDraft(null)}
        onBlur={() => {
          // Not a number: it was not meant.
          if (wrong) setDraft(null);
          else if (draft !== null) void send(text);
        }} />
      <IconButton icon="plus" label={`${label}: more`} className="small" onClick={() => step(1)} />
    </form>
  );
}

function Timeout({ sweep }: { sweep: Sweep }) {
  return (
    <Limit label="A trial may take" value={sweep.timeout} written={(seconds) => formatDuration(seconds * 1e6).replaceAll(" ", "")} read={readSpan}
      example="Such as 90s, 15m, 2h or 1.5d; nothing: no limit" onSave={(timeout) => changeSweep(sweep, { timeout })} />
  );
}

function Budget({ sweep }: { sweep: Sweep }) {
  const { known } = progressOf(sweep);
  return (
    <Limit label="Trials at most" value={sweep.budget} written={String} read={(text) => readCount(text, Math.max(1, known))}
      example={`A whole number from ${formatCount(Math.max(1, known))} on; nothing: no limit`} onSave={(budget) => changeSweep(sweep, { budget })} />
  );
}

/** A whole number that is not below the least; null where nothing is written, undefined where it is neither. */
export function readCount(text: string, least: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const count = /^\d+$/.test(trimmed) ? Number(trimmed) : NaN;
  return count >= least && count <= 1e9 ? count : undefined;
}

/** A number or no limit, written and set. */
function Limit({ label, value, written, read, example, onSave }: {
  label: string; value: number | null; written: (value: number) => string; read: (text: string) => number | null | undefined;
  example: string; onSave: (value: number | null) => Promise<boolean>;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const meant = draft === null ? undefined : read(draft);
  const wrong = draft !== null && meant === undefined;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (meant === undefined) return;
    if (meant !== value && !(await onSave(meant))) return;
    setDraft(null);
  };
  return (
    <form className="setting-row" onSubmit={(event) => void save(event)}>
      <input className="field timeout-field" aria-label={label} value={draft ?? (value === null ? "" : written(value))} placeholder="no limit" aria-invalid={wrong}
        title={wrong ? example : undefined}
        onChange={(event) => setDraft(event.target.value)} onKeyDown={(event) => event.key === "Escape" && setDraft(null)} />
      {draft === null ? null : <button type="submit" className="button" disabled={wrong}>Set</button>}
    </form>
  );
}
