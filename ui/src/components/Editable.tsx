// Text that is changed where it stands: a button beside it makes it a field; Enter keeps what was written, Escape does not.
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { mayWrite } from "../api/client";
import { Icon } from "./Icon";

interface Props {
  /** What it is, for the button and the field: "the name of run-1". */
  what: string;
  text: string;
  /** How it is shown while nobody writes; the text itself by default. */
  children?: ReactNode;
  onSave: (text: string) => void;
  many?: boolean;
  className?: string;
  placeholder?: string;
  /** Opened from outside: moves whenever the reader asked for it. */
  asked?: number;
}

export function Editable({ what, text, children, onSave, many, className, placeholder, asked = 0 }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const [before, setBefore] = useState(asked);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const open = draft !== null;
  if (asked !== before) {
    setBefore(asked);
    if (asked > before && mayWrite()) setDraft(text);
  }
  useEffect(() => {
    if (!open) return;
    field.current?.focus();
    field.current?.select();
  }, [open]);
  const close = (keep: boolean) => {
    if (keep && draft !== null && draft.trim() !== text) onSave(draft.trim());
    setDraft(null);
    requestAnimationFrame(() => button.current?.focus({ preventScroll: true }));
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (!many || event.ctrlKey || event.metaKey)) close(true);
    else if (event.key === "Escape") close(false);
    else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  if (draft !== null) {
    const shared = {
      ref: field, className: "field editing", "aria-label": `Change ${what}`, value: draft, placeholder, spellCheck: many ?? false,
      onKeyDown: key, onBlur: () => close(true),
    };
    return many
      ? <textarea {...shared} rows={Math.min(14, Math.max(3, draft.split("\n").length + 1))} onChange={(event) => setDraft(event.target.value)} />
      : <input {...shared} onChange={(event) => setDraft(event.target.value)} />;
  }
  return (
    <span className={`editable ${className ?? ""}`}>
      {children ?? text}
      {mayWrite() ? (
        <button type="button" ref={button} className="edit-button" aria-label={`Change ${what}`} title={`Change ${what}`}
          onClick={() => setDraft(text)}>
          <Icon name="pencil" size={13} />
        </button>
      ) : null}
    </span>
  );
}
