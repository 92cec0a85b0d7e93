// What was logged under one name: its value at a step, and the slider that chooses the step.
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { type Typed, inWords } from "../../api/typed";
import { formatCount, plural } from "../../format";
import { HistoryStore, type HistoryState, entryAt } from "../../store/history";
import { useOwned } from "../../store/owned";
import { Store, useStore } from "../../store/store";
import { Button, Failure, IconButton, useNear } from "../basics";
import { FilesView } from "./FilesView";
import { HistogramView } from "./HistogramView";
import { MatrixView, VectorView } from "./NumbersView";
import { TableView } from "./TableView";

interface Props {
  run: string;
  name: string;
  /** What was logged last, and at which step. */
  last: { typed: Typed; step: number };
  slot: number;
  /** The step that is chosen for all cards; null: each one's last. */
  step: number | null;
  onStep: (step: number | null) => void;
}

const NOTHING = new Store<HistoryState>({ entries: [], complete: false, reading: false });
const NO_ERROR = new Store(null);

/** Whether a value is shown over the whole width. */
export function isWide(typed: Typed): boolean {
  return typed.kind === "table" || typed.kind === "html" || (typed.kind === "image" && typed.files.length > 6);
}

export const MediaCard = memo(function MediaCard({ run, name, last, slot, step, onStep }: Props) {
  const box = useRef<HTMLElement>(null);
  const near = useNear(box);
  // Tables can be large: other steps than the last are read when somebody asks.
  const [wanted, setWanted] = useState(last.typed.kind !== "table");
  const asked = wanted || step !== null;
  const store = useOwned(() => (near && asked ? new HistoryStore(run, name) : idle), [run, name, near, asked]);
  const history = store instanceof HistoryStore ? store : null;
  const state = useStore(history?.state ?? NOTHING);
  const error = useStore(history?.error ?? NO_ERROR);
  useEffect(() => {
    void history?.read();
  }, [history, last.step]);

  const { entries } = state;
  const newest = entries[entries.length - 1];
  const index = entryAt(entries, step);
  // Until everything is read, the run itself knows its last value.
  const shown = useMemo(() => (step === null && (!newest || newest.step < last.step) ? last : entries[index] ?? last),
    [step, newest, last, entries, index]);
  const choose = (to: number) => onStep(to >= entries.length - 1 ? null : entries[Math.max(0, to)]!.step);
  const slash = name.indexOf("/");
  return (
    <section ref={box} className={isWide(last.typed) ? "chart-card media-card wide" : "chart-card media-card"} aria-label={name}>
      <header className="chart-head">
        <h3 title={name}>
          {slash > 0 ? <span className="muted">{name.slice(0, slash + 1)}</span> : null}{name.slice(slash + 1)}
        </h3>
        <span className="muted small media-kind">{inWords(shown.typed)}</span>
      </header>
      <div className="media-body" data-kind={shown.typed.kind}>
        {"caption" in shown.typed && shown.typed.caption !== null ? <p className="media-facts small">{shown.typed.caption}</p> : null}
        {near ? <Value run={run} name={name} typed={shown.typed} slot={slot} step={shown.step} entries={entries} onStep={onStep} /> : null}
      </div>
      {error ? <Failure error={error} retry={() => void history?.read()} /> : null}
      <footer className="media-foot">
        <span className="media-step">step {formatCount(shown.step)}</span>
        {entries.length > 1 ? (
          <>
            <IconButton icon="left" label={`${name}: the step before`} className="small" onClick={() => choose(index - 1)} />
            <input type="range" min={0} max={entries.length - 1} step={1} value={index} aria-label={`Step of ${name}`}
              aria-valuetext={`step ${shown.step}`} onChange={(event) => choose(Number(event.target.value))} />
            <IconButton icon="right" label={`${name}: the next step`} className="small" onClick={() => choose(index + 1)} />
            <span className="muted small">{formatCount(index + 1)} / {formatCount(entries.length)}{state.complete ? "" : "…"}</span>
          </>
        ) : null}
        {asked ? null : <Button onClick={() => setWanted(true)}>Other steps</Button>}
        {asked && !state.reading && !state.complete && entries.length > 0 && !error
          ? <Button onClick={history?.more ?? (() => {})}>Read on after {plural(entries.length, "step")}</Button> : null}
      </footer>
    </section>
  );
});

const idle = { close: () => {} };

function Value(props: {
  run: string; name: string; typed: Typed; slot: number; step: number; entries: HistoryState["entries"]; onStep: (step: number) => void;
}) {
  const { run, name, typed, slot } = props;
  switch (typed.kind) {
    case "histogram":
      return <HistogramView name={name} histogram={typed} slot={slot} entries={props.entries} step={props.step} onStep={props.onStep} />;
    case "vector": return <VectorView name={name} values={typed.values} slot={slot} />;
    case "matrix": return <MatrixView name={name} rows={typed.rows} />;
    case "table": return <TableView run={run} name={name} table={typed} />;
    default: return <FilesView run={run} name={name} kind={typed.kind} files={typed.files} where={`step ${formatCount(props.step)}`} />;
  }
}
