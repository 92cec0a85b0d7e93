// By which rules the pool decides, and for administrators their change.
import { type FormEvent, useState } from "react";
import { mayAdmin } from "../../api/client";
import type { PoolPolicy } from "../../api/types";
import { Button } from "../../components/basics";
import { Card } from "../../components/Card";
import { Dialog } from "../../components/Dialog";
import { setPolicy } from "../../store/poolchanges";
import { FIELDS, readPolicy, writePolicy } from "../../store/policy";
import { policySentences } from "../../store/poolwords";

export function PolicyCard({ policy }: { policy: PoolPolicy }) {
  const [open, setOpen] = useState(false);
  return (
    <Card title="How it chooses" tools={mayAdmin() ? <Button icon="pencil" onClick={() => setOpen(true)}>Change…</Button> : null}>
      <ul className="rules">{policySentences(policy).map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
      {mayAdmin() ? null : <p className="muted small rules-note">They are changed by administrators: <code>martlet pool policy</code>.</p>}
      {open ? <PolicyDialog policy={policy} onClose={() => setOpen(false)} /> : null}
    </Card>
  );
}

function PolicyDialog({ policy, onClose }: { policy: PoolPolicy; onClose: () => void }) {
  const [opened] = useState(policy); // somebody else's change meanwhile is not written over
  const [texts, setTexts] = useState(() => writePolicy(opened));
  const [group, setGroup] = useState(opened.group_equal_needs);
  const read = readPolicy(texts, group);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (read.policy !== null && (await setPolicy(opened, read.policy))) onClose();
  };
  return (
    <Dialog title="How the pool chooses" onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <div className="policy-fields">
          {FIELDS.map(({ name, title, hint }) => {
            const wrong = read.wrong[name];
            return (
              <label key={name} className="labelled">{title}
                <input className="field" inputMode="decimal" value={texts[name]} placeholder={hint} aria-invalid={wrong !== undefined}
                  aria-describedby={wrong === undefined ? undefined : `wrong-${name}`}
                  onChange={(event) => setTexts({ ...texts, [name]: event.target.value })} />
                {wrong === undefined ? null : <span className="filter-error" id={`wrong-${name}`}>{wrong}</span>}
              </label>
            );
          })}
          <label className="control">
            <input type="checkbox" checked={group} onChange={(event) => setGroup(event.target.checked)} />
            Start those who need the same together
          </label>
        </div>
        <footer className="dialog-foot">
          <Button onClick={onClose}>Leave it</Button>
          <button type="submit" className="button primary" disabled={read.policy === null}>Save</button>
        </footer>
      </form>
    </Dialog>
  );
}
