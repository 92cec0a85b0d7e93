// What can be done with the runs that are selected: compared, tagged, archived, locked, moved, deleted.
import { type FormEvent, useEffect, useState } from "react";
import { api } from "../api/client";
import type { Project, Run } from "../api/types";
import { formatCount, plural } from "../format";
import { navigate, pathOf } from "../router";
import { archive, lock, move, readTags, retag, tagCounts } from "../store/changes";
import { MOST_COMPARED } from "../store/compare";
import { Button } from "./basics";
import { DeleteRuns } from "./DeleteRuns";
import { Dialog } from "./Dialog";
import { Menu, type MenuItem } from "./Menu";

interface Props {
  project: string;
  runs: readonly Run[];
  /** The runs are those of the archive. */
  archived: boolean;
  onDone: () => void;
}

export function comparePath(project: string, runs: readonly { id: string }[]): string {
  return `${pathOf({ page: "compare", project })}?runs=${runs.slice(0, MOST_COMPARED).map(({ id }) => id).join(",")}`;
}

export function SelectBar({ project, runs, archived, onDone }: Props) {
  const [asking, setAsking] = useState<"tag" | "move" | "delete" | null>(null);
  const none = runs.length === 0;
  const locked = runs.length > 0 && runs.every((run) => run.locked_at != null);
  const after = (work: Promise<void>) => void work.then(onDone);
  const items: MenuItem[] = none ? [] : [
    { word: archived ? "Back from the archive" : "Archive", icon: "archive", run: () => after(archive(runs, !archived)) },
    { word: locked ? "Unlock" : "Lock", icon: "lock", run: () => after(lock(runs, !locked)) },
    { word: "Move…", icon: "out", run: () => setAsking("move") },
    { word: "Delete…", icon: "trash", danger: true, run: () => setAsking("delete") },
  ];
  return (
    <div className="select-bar" role="toolbar" aria-label="Selected runs">
      <strong>{formatCount(runs.length)} selected</strong>
      <span className="grow" />
      <Button icon="compare" disabled={runs.length < 2} onClick={() => navigate(comparePath(project, runs))}>
        {runs.length > MOST_COMPARED ? `Compare the first ${MOST_COMPARED}` : "Compare"}
      </Button>
      <Button icon="tag" disabled={none} onClick={() => setAsking("tag")}>Tag…</Button>
      <Button tone="danger" icon="trash" disabled={none} onClick={() => setAsking("delete")}>Delete…</Button>
      {none ? null : <Menu label="More to do with the selected runs" items={items} />}
      <Button onClick={onDone}>Done</Button>
      {asking === "tag" ? <TagRuns runs={runs} onClose={() => setAsking(null)} /> : null}
      {asking === "move" ? <MoveRuns runs={runs} project={project} onClose={() => setAsking(null)} onDone={onDone} /> : null}
      {asking === "delete" ? (
        <DeleteRuns runs={runs} onClose={(done) => {
          setAsking(null);
          if (done) onDone();
        }} />
      ) : null}
    </div>
  );
}

function TagRuns({ runs, onClose }: { runs: readonly Run[]; onClose: () => void }) {
  const [text, setText] = useState("");
  const [away, setAway] = useState<ReadonlySet<string>>(new Set());
  const held = tagCounts(runs);
  const add = readTags(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onClose();
    void retag(runs, add, [...away]);
  };
  return (
    <Dialog title={`Tags of ${plural(runs.length, "run")}`} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="confirm">
          <span>Add tags, with spaces between them</span>
          <input className="field" value={text} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} />
        </label>
        {held.length === 0 ? null : (
          <fieldset className="picker tag-picker">
            <legend>Keep</legend>
            {held.map(({ tag, count }) => (
              <label key={tag} className="picker-item">
                <input type="checkbox" checked={!away.has(tag)} onChange={() => {
                  const next = new Set(away);
                  if (!next.delete(tag)) next.add(tag);
                  setAway(next);
                }} />
                <span>{tag}</span><span className="count">{formatCount(count)}</span>
              </label>
            ))}
          </fieldset>
        )}
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" className="button primary" disabled={add.length === 0 && away.size === 0}>Change tags</button>
        </footer>
      </form>
    </Dialog>
  );
}

function MoveRuns({ runs, project, onClose, onDone }: { runs: readonly Run[]; project: string; onClose: () => void; onDone: () => void }) {
  const [to, setTo] = useState("");
  const [projects, setProjects] = useState<readonly Project[]>([]);
  useEffect(() => {
    // Names can be written, too: without the list nothing is lost.
    api.projects().then(setProjects, () => {});
  }, []);
  const name = to.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onClose();
    void move(runs, name).then(onDone);
  };
  return (
    <Dialog title={`Move ${plural(runs.length, "run")}`} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="confirm">
          <span>To the project</span>
          <input className="field" value={to} list="projects" autoComplete="off" spellCheck={false} onChange={(event) => setTo(event.target.value)} />
        </label>
        <datalist id="projects">{projects.filter((each) => each.name !== project).map((each) => <option key={each.id} value={each.name}>{each.name}</option>)}</datalist>
        <p className="muted small">Everything that the runs logged goes along. Addresses of the runs stay the same.</p>
        <footer className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <button type="submit" className="button primary" disabled={name === "" || name === project}>Move</button>
        </footer>
      </form>
    </Dialog>
  );
}
