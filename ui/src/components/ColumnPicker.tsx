// Which columns the table of runs shows: found by name, switched one by one, or left to the table itself.
import { useState } from "react";
import { byName, type Column, columnId, configNames, metricNames } from "../store/columns";
import type { Run } from "../api/types";
import { formatCount } from "../format";
import { Button } from "./basics";
import { Dialog } from "./Dialog";

interface Props {
  runs: readonly Run[];
  shown: readonly Column[];
  /** null: the table chooses. */
  onChange: (columns: Column[] | null) => void;
  onClose: () => void;
}

const FIELDS: readonly Column[] = (["sweep", "host", "step", "duration", "created"] as const)
  .map((name) => ({ kind: "field", name }));

const FIELD_WORDS: Record<string, string> = {
  sweep: "Sweep", host: "Host", step: "Last step", duration: "Duration", created: "Created",
};

export function columnTitle(column: Column): string {
  return column.kind === "field" ? FIELD_WORDS[column.name]! : column.name;
}

export function ColumnPicker({ runs, shown, onChange, onClose }: Props) {
  const [search, setSearch] = useState("");
  const [onlyVarying, setOnlyVarying] = useState(true);
  const config = configNames(runs);
  const groups: [string, Column[]][] = [
    ["Metrics", metricNames(runs).map((name) => ({ kind: "metric", name }))],
    ["Configuration", (onlyVarying ? config.varying : [...config.all].sort(byName)).map((name) => ({ kind: "config", name }))],
    ["Run", [...FIELDS]],
  ];
  const on = new Set(shown.map(columnId));
  const toggle = (column: Column) => {
    const id = columnId(column);
    onChange(on.has(id) ? shown.filter((each) => columnId(each) !== id) : [...shown, column]);
  };
  return (
    <Dialog title="Columns" onClose={onClose}>
      <div className="picker-tools">
        <input type="search" className="field" aria-label="Find a column" placeholder="Find a column" value={search}
          onChange={(event) => setSearch(event.target.value)} />
        <label className="control">
          <input type="checkbox" checked={onlyVarying} onChange={(event) => setOnlyVarying(event.target.checked)} />
          <span>Only configuration that varies</span>
        </label>
      </div>
      <div className="picker">
        {groups.map(([title, columns]) => {
          const found = columns.filter((column) => columnTitle(column).toLowerCase().includes(search.toLowerCase()));
          return (
            <fieldset key={title}>
              <legend>{title} <span className="count">{formatCount(found.length)}</span></legend>
              {found.map((column) => (
                <label key={columnId(column)} className="picker-item">
                  <input type="checkbox" checked={on.has(columnId(column))} onChange={() => toggle(column)} />
                  <span>{columnTitle(column)}</span>
                </label>
              ))}
              {found.length === 0 ? <p className="muted">None{search === "" ? " yet" : " of that name"}.</p> : null}
            </fieldset>
          );
        })}
      </div>
      <footer className="dialog-foot">
        <Button onClick={() => onChange(null)}>Let the table choose</Button>
        <Button tone="primary" onClick={onClose}>Done</Button>
      </footer>
    </Dialog>
  );
}
