// Text that is changed where it stands: a button beside it makes it a field; Enter keeps what was written, Escape does not.
import { type ChangeEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { mayWrite } from "../api/client";
import { type Draft, toSave } from "../store/draft";
import { Icon } from "./Icon";

interface Props {
  /** What it is, for the button and the field: "the name of run-1". */
  what: string;
  text: string;
  /** How it is shown while nobody writes; the text itself by default. */
  children?: ReactNode;
  /** Gives whether it was saved: until then, and where it was not, the field keeps what was written. */
  onSave: (text: string) => Promise<boolean>;
  many?: boolean;
  className?: string;
  placeholder?: string;
  /** Opened from outside: moves whenever the reader asked for it. */
  asked?: number;
}

export function Editable({ what, text, children, onSave, many, className, placeholder, asked = 0 }: Props) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const saving = useRef(false);
  const [before, setBefore] = useState(asked);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const open = draft !== null;
  if (asked !== before) {
    setBefore(asked);
    if (asked > before && mayWrite()) setDraft({ opened: text, text });
  }
  useEffect(() => {
    if (!open) return;
    field.current?.focus();
    field.current?.select();
  }, [open]);
  const close = () => {
    const held = field.current !== null && document.activeElement === field.current;
    setDraft(null);
    // Who went on by a key stays here; who clicked elsewhere is there already.
    if (held) requestAnimationFrame(() => button.current?.focus({ preventScroll: true }));
  };
  const save = async () => {
    if (draft === null || saving.current) return;
    const changed = toSave(draft);
    if (changed !== null) {
      saving.current = true;
      try {
        if (!(await onSave(changed))) return;
      } finally {
        saving.current = false;
      }
    }
    close();
  };
  const key = (event: KeyboardEvent) => {
    event.stopPropagation();
    // Enter also ends a word of an input method.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && (!many || event.ctrlKey || event.metaKey)) void save();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };
  if (draft !== null) {
    const shared = {
      ref: field, className: "field editing", "aria-label": `Change ${what}`, value: draft.text, placeholder, spellCheck: many ?? false,
      onKeyDown: key, onBlur: () => void save(),
    };
    const write = (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setDraft({ ...draft, text: event.target.value });
    return many
      ? <textarea {...shared} rows={Math.min(14, Math.max(3, draft.text.split("\n").length + 1))} onChange={write} />
      : <input {...shared} onChange={write} />;
  }
  return (
    <span className={`editable ${className ?? ""}`}>
      {children ?? text}
      {mayWrite() ? (
        <button type="button" ref={button} className="edit-button" aria-label={`Change ${what}`} title={`Change ${what}`}
          onClick={() => setDraft({ opened: text, text })}>
          <Icon name="pencil" size={13} />
        </button>
      ) : null}
    </span>
  );
}
