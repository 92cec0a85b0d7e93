// The derived metrics of a project: what is computed from what was logged, under a name of its own.
import { type FormEvent, useEffect, useState } from "react";
import { ApiError, mayWrite } from "../api/client";
import { type Derived, tracking } from "../api/tracking";
import type { Run } from "../api/types";
import { metricNames } from "../store/columns";
import { quoted } from "../store/sorting";
import { Failure, IconButton, Skeleton } from "./basics";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { MarkedField } from "./MarkedField";
import { attempt, toast } from "./Toast";

interface Props {
  project: string;
  /** Runs whose metrics can be named in an expression. */
  runs: readonly Run[];
  onClose: () => void;
}

export function DerivedMetrics({ project, runs, onClose }: Props) {
  const [known, setKnown] = useState<readonly Derived[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [editing, setEditing] = useState<Derived | null>(null);
  const read = () => {
    tracking.derived(project).then(({ items }) => {
      setKnown(items);
      setError(null);
    }, (reason: unknown) => {
      if (!(reason instanceof ApiError)) throw reason;
      setError(reason);
    });
  };
  // eslint-disable-next-line react-hooks/exhaustive-deps -- read once for each project
  useEffect(read, [project]);
  const remove = async (metric: Derived) => {
    if (!(await attempt(() => tracking.underive(project, metric.name)))) return;
    read();
    toast(`${metric.name} is no longer derived.`, {
      action: {
        word: "Undo",
        run: () => void attempt(async () => {
          await tracking.derive(project, made(metric));
          read();
        }),
      },
    });
  };
  return (
    <Dialog title="Derived metrics" onClose={onClose}>
      <p className="muted small">Computed from what the runs logged, at every step. They are columns, filters, sort keys and charts like any other metric.</p>
      {error ? <Failure error={error} retry={read} /> : null}
      {known === null && !error ? <Skeleton rows={3} label="Reading the derived metrics" /> : null}
      {known && known.length > 0 ? (
        <ul className="derived-list">
          {known.map((metric) => (
            <li key={metric.name}>
              <div className="grow">
                <strong>{metric.name}</strong>{metric.goal ? <span className="goal">{metric.goal === "maximize" ? "↑" : "↓"}</span> : null}
                <code className="clip" title={metric.expression}>{metric.expression}</code>
                {metric.description ? <p className="muted small">{metric.description}</p> : null}
              </div>
              {mayWrite() ? (
                <>
                  <IconButton icon="pencil" label={`Change ${metric.name}`} className="small" onClick={() => setEditing(metric)} />
                  <IconButton icon="trash" label={`Delete ${metric.name}`} className="small" onClick={() => void remove(metric)} />
                </>
              ) : null}
            </li>
          ))}
        </ul>
      ) : null}
      {mayWrite() ? (
        <DerivedForm key={editing?.name ?? ""} project={project} start={editing} names={metricNames(runs)} onDone={() => {
          setEditing(null);
          read();
        }} />
      ) : null}
    </Dialog>
  );
}

const made = ({ name, expression, description, goal }: Derived) =>
  ({ name, expression, ...(description ? { description } : {}), ...(goal ? { goal } : {}) });

const FUNCTIONS = ["ema(x)", "abs(x)", "log(x)", "diff(x)", "cummin(x)", "rate(x)"];
const MOST_NAMES = 24;

function DerivedForm({ project, start, names, onDone }: { project: string; start: Derived | null; names: readonly string[]; onDone: () => void }) {
  const [name, setName] = useState(start?.name ?? "");
  const [expression, setExpression] = useState(start?.expression ?? "");
  const [description, setDescription] = useState(start?.description ?? "");
  const [goal, setGoal] = useState<string>(start?.goal ?? "");
  const [error, setError] = useState<ApiError | null>(null);
  const [saving, setSaving] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setSaving(true);
    setError(null);
    try {
      const answer = await tracking.derive(project, made({ name: name.trim(), expression, description, goal: goal === "" ? null : goal as "minimize" }));
      toast([`${name.trim()} is computed from now on.`, ...(answer.notes ?? [])].join(" "));
      if (!start) {
        setName("");
        setExpression("");
        setDescription("");
        setGoal("");
      }
      onDone();
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      setError(reason);
    } finally {
      setSaving(false);
    }
  };
  const insert = (text: string) => setExpression((before) => (before === "" || /[\s(]$/.test(before) ? before + text : `${before} ${text}`));
  const details = error?.details as { from?: number; to?: number } | null;
  const wrong = details && typeof details.from === "number" ? { from: details.from, to: details.to ?? details.from + 1 } : null;
  return (
    <form className="derived-form" onSubmit={(event) => void submit(event)} aria-label={start ? `Change ${start.name}` : "Another derived metric"}>
      <h3>{start ? `Change ${start.name}` : "Another one"}</h3>
      <label className="confirm"><span>Name</span>
        <input className="field" value={name} disabled={start !== null} placeholder="gap" autoComplete="off" spellCheck={false}
          onChange={(event) => setName(event.target.value)} />
      </label>
      <div className="confirm"><span>Expression</span>
        <MarkedField label="Expression" value={expression} wrong={wrong} describedBy="derived-error" placeholder="val/loss - train/loss"
          onChange={(text) => {
            setExpression(text);
            setError(null);
          }} />
      </div>
      {error ? (
        <p className="filter-error" id="derived-error" role="alert">
          <Icon name="bolt" size={13} /><span>{error.message}{error.hint ? <span className="hint"> {error.hint}</span> : null}</span>
        </p>
      ) : null}
      <fieldset className="inserts" aria-label="Put into the expression">
        {names.slice(0, MOST_NAMES).map((each) => <button key={each} type="button" className="tag" onClick={() => insert(quoted(each))}>{each}</button>)}
        {FUNCTIONS.map((each) => <button key={each} type="button" className="tag add" onClick={() => insert(each)}>{each}</button>)}
      </fieldset>
      <label className="confirm"><span>What it tells (may be left out)</span>
        <input className="field" value={description} autoComplete="off" onChange={(event) => setDescription(event.target.value)} />
      </label>
      <label className="control goal-control"><span>Better is</span>
        <select className="select" value={goal} onChange={(event) => setGoal(event.target.value)}>
          <option value="">not said</option><option value="minimize">less</option><option value="maximize">more</option>
        </select>
      </label>
      <footer className="dialog-foot">
        <button type="submit" className="button primary" disabled={saving || name.trim() === "" || expression.trim() === ""}>
          {start ? "Change it" : "Add it"}
        </button>
      </footer>
    </form>
  );
}
