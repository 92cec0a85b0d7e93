// What the table of runs is grouped by, and what stands beside a group's mean.
import { useMemo } from "react";
import type { SpreadKind } from "../charts/mean";
import { FieldsStore } from "../store/fields";
import { SPREADS } from "../store/groups";
import { useOwned } from "../store/owned";
import { configField, fieldTitle } from "../store/sorting";
import { Store, useStore } from "../store/store";
import { Icon } from "./Icon";

interface Props {
  project: string;
  by: readonly string[];
  onBy: (by: readonly string[]) => void;
  spread: SpreadKind;
  onSpread: (spread: SpreadKind) => void;
}

const ATTRIBUTES = ["group", "job", "sweep", "state", "host", "user", "tag"];
const NOTHING = new Store(null);

export function GroupControl({ project, by, onBy, spread, onSpread }: Props) {
  const store = useOwned(() => new FieldsStore(project), [project]);
  const fields = useStore(store?.state ?? NOTHING);
  const choices = useMemo(() => {
    const config = (fields?.config ?? []).filter(({ varies }) => varies).map(({ name }) => ({ name, field: configField(name) }));
    return { config: config.filter(({ field }) => !by.includes(field)), own: ATTRIBUTES.filter((name) => !by.includes(name)) };
  }, [fields, by]);
  return (
    <div className="group-control">
      {by.map((name) => (
        <span key={name} className="chip">
          <code>{fieldTitle(name)}</code>
          <button type="button" aria-label={`Do not group by ${fieldTitle(name)}`} onClick={() => onBy(by.filter((each) => each !== name))}>
            <Icon name="cross" size={11} />
          </button>
        </span>
      ))}
      <select className="select" aria-label="Group by" value="" onChange={(event) => onBy([...by, event.target.value])}>
        <option value="">{by.length === 0 ? "Group by…" : "and by…"}</option>
        {choices.config.length === 0 ? null : (
          <optgroup label="Configuration">{choices.config.map(({ name, field }) => <option key={field} value={field}>{name}</option>)}</optgroup>
        )}
        <optgroup label="Run">{choices.own.map((name) => <option key={name} value={name}>{name}</option>)}</optgroup>
      </select>
      {by.length === 0 ? null : (
        <select className="select" aria-label="Spread of a group" value={spread} onChange={(event) => onSpread(event.target.value as SpreadKind)}>
          {SPREADS.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
        </select>
      )}
    </div>
  );
}
