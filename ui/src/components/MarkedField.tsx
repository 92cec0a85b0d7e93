// A field for a language: what is wrong in it is underlined where it stands.
import { type RefObject, useRef } from "react";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** UTF-16 offsets of what is wrong. */
  wrong: { from: number; to: number } | null;
  describedBy?: string;
  placeholder?: string;
  field?: RefObject<HTMLInputElement>;
}

export function MarkedField({ label, value, onChange, wrong, describedBy, placeholder, field }: Props) {
  const mirror = useRef<HTMLSpanElement>(null);
  return (
    <span className="marked">
      <span className="filter-mirror" aria-hidden="true"><span ref={mirror}>
        {wrong ? <>{value.slice(0, wrong.from)}<mark>{value.slice(wrong.from, Math.max(wrong.to, wrong.from + 1)) || "\u00a0"}</mark></> : null}
      </span></span>
      <input ref={field} className="field" aria-label={label} value={value} spellCheck={false} autoComplete="off" placeholder={placeholder}
        aria-invalid={wrong !== null} aria-describedby={describedBy} onChange={(event) => onChange(event.target.value)}
        onScroll={(event) => {
          if (mirror.current) mirror.current.style.transform = `translateX(${-event.currentTarget.scrollLeft}px)`;
        }} />
    </span>
  );
}
