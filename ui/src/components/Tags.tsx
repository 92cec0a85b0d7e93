// A run's tags: each can be taken away, another added where they stand.
import { useState } from "react";
import type { Run } from "../api/types";
import { mayWrite } from "../api/client";
import { change, readTags } from "../store/changes";
import { Icon } from "./Icon";

export function Tags({ run }: { run: Run }) {
  const [draft, setDraft] = useState<string | null>(null);
  const may = mayWrite();
  const add = () => {
    const tags = readTags(draft ?? "").filter((tag) => !run.tags.includes(tag));
    setDraft(null);
    if (tags.length > 0) void change(run, { add_tags: tags });
  };
  return (
    <ul className="tags" aria-label={`Tags of ${run.name}`}>
      {run.tags.map((tag) => (
        <li key={tag} className="tag">{tag}
          {may ? (
            <button type="button" aria-label={`Take the tag ${tag} away`} onClick={() => void change(run, { remove_tags: [tag] })}>
              <Icon name="cross" size={10} />
            </button>
          ) : null}
        </li>
      ))}
      {may && draft === null ? (
        <li><button type="button" className="tag add" onClick={() => setDraft("")}><Icon name="plus" size={10} />tag</button></li>
      ) : null}
      {draft === null ? null : (
        <li>
          {/* The reader asked for the field just now. */}
          {/* eslint-disable-next-line jsx-a11y/no-autofocus */}
          <input className="field tag-field" aria-label="Another tag" value={draft} autoFocus spellCheck={false}
            onChange={(event) => setDraft(event.target.value)} onBlur={add}
            onKeyDown={(event) => {
              if (event.key === "Enter") add();
              else if (event.key === "Escape") setDraft(null);
              event.stopPropagation();
            }} />
        </li>
      )}
    </ul>
  );
}
