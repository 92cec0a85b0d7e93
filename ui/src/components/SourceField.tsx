// A file as text with the numbers of its lines; the lines in which something is wrong are marked, and what is wrong stands below.
import { type KeyboardEvent, useEffect, useMemo, useRef } from "react";
import type { ApiError } from "../api/client";
import { type SourcePlace, flawsOf, offsetOf } from "../store/sourceplace";
import { Icon } from "./Icon";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  readOnly?: boolean;
  /** Why the text was refused. */
  error: ApiError | null;
  /** What Ctrl+Enter does. */
  onSubmit?: () => void;
}

export function SourceField({ label, value, onChange, readOnly = false, error, onSubmit }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const flaws = useMemo(() => (error === null ? [] : flawsOf(error)), [error]);
  const wrong = new Set(flaws.flatMap(({ place }) => (place === null ? [] : [place.line])));
  const lines = value.split("\n").length;
  const go = (place: SourcePlace) => {
    const element = field.current;
    if (!element) return;
    const at = offsetOf(element.value, place);
    element.focus();
    element.setSelectionRange(at, at);
    element.parentElement?.querySelector(`.source-mark[data-line="${place.line}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useEffect(() => {
    // Whoever is told what is wrong stands where it is.
    const first = flaws.find(({ place }) => place !== null)?.place;
    if (first) go(first);
  }, [flaws]);
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !onSubmit) return;
    event.preventDefault();
    onSubmit();
  };
  return (
    <div className="source">
      <div className="source-box">
        <div className="source-lines" aria-hidden="true">
          {Array.from({ length: lines }, (_, i) => <span key={i} className={wrong.has(i + 1) ? "wrong" : undefined}>{i + 1}</span>)}
        </div>
        <div className="source-text">
          {[...wrong].map((line) => (
            <span key={line} className="source-mark" data-line={line} style={{ top: `calc(${Math.min(line, lines) - 1} * var(--source-line) + var(--source-top))` }} />
          ))}
          <textarea ref={field} className="source-field" aria-label={label} value={value} readOnly={readOnly} spellCheck={false} autoComplete="off"
            autoCapitalize="off" rows={lines + 1} wrap="off" aria-invalid={wrong.size > 0} aria-describedby={error ? "source-error" : undefined} onKeyDown={key}
            onChange={(event) => onChange(event.target.value)} />
        </div>
      </div>
      {error ? (
        <div className="filter-error" id="source-error" role="alert">
          <Icon name="bolt" size={13} />
          <div>
            {flaws.map(({ place, text }, i) => (
              <p key={i}>
                {place ? <><button type="button" className="text-button" onClick={() => go(place)}>Line {place.line}, column {place.column}</button>: </> : null}{text}
              </p>
            ))}
            {error.hint ? <p className="hint">{error.hint}</p> : null}
          </div>
        </div>
      ) : null}
    </div>
  );
}
