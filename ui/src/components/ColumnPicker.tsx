// Which columns the table of runs shows: found by name among all of the project, switched one by one, or left to the table.
import { useEffect, useState } from "react";
import { formatCount, plural } from "../format";
import { type Column, columnId } from "../store/columns";
import { FieldsStore } from "../store/fields";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { Button, Failure, Skeleton } from "./basics";
import { Dialog } from "./Dialog";

interface Props {
  project: string;
  shown: readonly Column[];
  /** null: the table chooses. */
  onChange: (columns: Column[] | null) => void;
  onClose: () => void;
}

const FIELD_WORDS = {
  tags: "Tags", notes: "Notes", group: "Group", job: "Job type", user: "Created by", sweep: "Sweep", host: "Host", step: "Last step",
  duration: "Duration", created: "Created", started: "Started", ended: "Ended", id: "Id",
} as const;

export function columnTitle(column: Column): string {
  return column.kind === "field" ? FIELD_WORDS[column.name] : column.name;
}

export function ColumnPicker(props: Props) {
  const fields = useOwned(() => new FieldsStore(props.project), [props.project]);
  return (
    <Dialog title="Columns" onClose={props.onClose}>
      {fields ? <Picker {...props} fields={fields} /> : null}
      <footer className="dialog-foot">
        <Button onClick={() => props.onChange(null)}>Let the table choose</Button>
        <Button tone="primary" onClick={props.onClose}>Done</Button>
      </footer>
    </Dialog>
  );
}

interface Choice {
  column: Column;
  detail: string;
}

function Picker({ shown, onChange, fields }: Props & { fields: FieldsStore }) {
  const known = useStore(fields.state);
  const error = useStore(fields.error);
  const [search, setSearch] = useState("");
  const [onlyVarying, setOnlyVarying] = useState(true);
  useEffect(() => fields.search(search), [fields, search]);
  const derived = new Set(known?.derived.map(({ name }) => name));
  const inRuns = (runs: number) => `in ${plural(runs, "run")}`;
  const groups: [string, Choice[]][] = known === null ? [] : [
    ["Metrics", known.metrics.filter(({ name }) => !derived.has(name))
      .map(({ name, runs }) => ({ column: { kind: "metric", name }, detail: inRuns(runs) }))],
    ["Derived metrics", known.derived.map(({ name, expression }) => ({ column: { kind: "metric", name }, detail: expression }))],
    ["Configuration", known.config.filter(({ varies }) => varies || !onlyVarying)
      .map(({ name, values, runs }) => ({ column: { kind: "config", name }, detail: values > 1 ? plural(values, "value") : inRuns(runs) }))],
    ["Run", (Object.keys(FIELD_WORDS) as (keyof typeof FIELD_WORDS)[]).map((name) => ({ column: { kind: "field", name }, detail: "" }))],
  ];
  const on = new Set(shown.map(columnId));
  const toggle = (column: Column) => {
    const id = columnId(column);
    onChange(on.has(id) ? shown.filter((each) => columnId(each) !== id) : [...shown, column]);
  };
  return (
    <>
      <div className="picker-tools">
        <input type="search" className="field" aria-label="Find a column" placeholder="Find a column" value={search}
          onChange={(event) => setSearch(event.target.value)} />
        <label className="control">
          <input type="checkbox" checked={onlyVarying} onChange={(event) => setOnlyVarying(event.target.checked)} />
          <span>Only configuration that varies</span>
        </label>
      </div>
      {error ? <Failure error={error} retry={() => fields.search(search)} /> : null}
      {known === null && !error ? <Skeleton rows={6} label="Reading the names" /> : null}
      <div className="picker">
        {groups.map(([title, all]) => {
          const found = all.filter(({ column }) => columnTitle(column).toLowerCase().includes(search.toLowerCase()));
          if (title === "Derived metrics" && all.length === 0) return null;
          return (
            <fieldset key={title}>
              <legend>{title} <span className="count">{formatCount(found.length)}</span></legend>
              {found.map(({ column, detail }) => (
                <label key={columnId(column)} className="picker-item">
                  <input type="checkbox" checked={on.has(columnId(column))} onChange={() => toggle(column)} />
                  <span>{columnTitle(column)}</span>
                  {detail === "" ? null : <span className="muted small picker-detail clip">{detail}</span>}
                </label>
              ))}
              {found.length === 0 ? <p className="muted">None{search === "" ? " yet" : " of that name"}.</p> : null}
            </fieldset>
          );
        })}
      </div>
    </>
  );
}
