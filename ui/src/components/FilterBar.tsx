// One field for the filter of a table of runs: completed by keys or mouse, marked where it is not understood, its clauses as chips.
import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import type { CompletionItem, FilterAnswer } from "../api/tracking";
import { FilterText, completed, without } from "../store/filter";
import { useOwned } from "../store/owned";
import { useStore } from "../store/store";
import { Icon } from "./Icon";

interface Props {
  project: string;
  /** The filter that counts now. */
  value: string;
  onChange: (filter: string) => void;
  field: RefObject<HTMLInputElement>;
  /** Hears what the server says of the filter. */
  onAnswer?: (answer: FilterAnswer | null) => void;
}

export function FilterBar(props: Props) {
  const heard = useRef(props.onChange);
  useEffect(() => {
    heard.current = props.onChange;
  });
  const filter = useOwned(() => new FilterText(props.project, props.value, (text) => heard.current(text)), [props.project]);
  return filter ? <Bar {...props} filter={filter} /> : <div className="search" />;
}

const MOST_SHOWN = 60;

function Bar({ value, onChange, field, filter, onAnswer }: Props & { filter: FilterText }) {
  const { text, answer, known } = useStore(filter.state);
  const failure = useStore(filter.error);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const mirror = useRef<HTMLSpanElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  // The address can change without this field: by "back", or by a chip.
  const last = useRef(value);
  useEffect(() => {
    if (value !== last.current && value !== filter.state.value.text.trim()) filter.take(value);
    last.current = value;
  }, [value, filter]);
  useEffect(() => onAnswer?.(known ? answer : null), [onAnswer, known, answer]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const completion = known ? answer?.completion ?? null : null;
  const items = open ? completion?.items.slice(0, MOST_SHOWN) ?? [] : [];
  const error = known && answer && !answer.valid ? answer.error : null;
  const write = (next: string, cursor: number) => {
    setAt(-1);
    if (next.trim() === "") onChange("");
    filter.write(next, cursor);
  };
  const take = (item: CompletionItem) => {
    if (!completion) return;
    const next = completed(text, completion, item);
    write(next.text, next.at);
    const input = field.current;
    input?.focus();
    // After React has written the text: the cursor would jump to its end.
    requestAnimationFrame(() => input?.setSelectionRange(next.at, next.at));
  };
  const commit = (next: string) => {
    filter.take(next);
    onChange(next);
  };
  const key = (event: KeyboardEvent<HTMLInputElement>) => {
    // The keys of an input method choose among its own words.
    if (event.nativeEvent.isComposing) return;
    const chosen = items[at];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) setOpen(true);
      else if (items.length > 0) {
        // One place more than items: none is chosen.
        const places = items.length + 1;
        setAt(((at + 1 + (event.key === "ArrowDown" ? 1 : -1) + places) % places) - 1);
      }
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen) take(chosen);
    else if (event.key === "Enter") setOpen(false);
    else if (event.key === "Escape" && open && items.length > 0) setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // While completions are open it stands among them, so that the table below does not move with each letter.
  const said = error ? (
    <output className="filter-error" id={`${id}error`}>
      <Icon name="bolt" size={13} /><span>{error.message}{error.hint ? <span className="hint"> {error.hint}</span> : null}</span>
    </output>
  ) : null;
  const cursor = (input: HTMLInputElement) => input.selectionStart ?? input.value.length;
  return (
    <>
      <div className={error && !open ? "filter wrong" : "filter"}>
        <div className="search">
          <Icon name="search" size={14} />
          <span className="filter-mirror" aria-hidden="true"><span ref={mirror}>
            {error ? (
              <>{text.slice(0, error.from)}<mark>{text.slice(error.from, Math.max(error.to, error.from + 1)) || "\u00a0"}</mark></>
            ) : null}
          </span></span>
          <input ref={field} type="text" role="combobox" aria-label="Filter" value={text} placeholder="Filter: lr<1e-3 state:running val/loss.min<0.3"
            spellCheck={false} autoComplete="off" autoCapitalize="off" aria-autocomplete="list" aria-expanded={items.length > 0}
            aria-controls={`${id}list`} aria-activedescendant={at >= 0 ? `${id}${at}` : undefined}
            aria-invalid={error !== null} aria-describedby={error ? `${id}error` : undefined}
            onChange={(event) => {
              setOpen(true);
              write(event.target.value, cursor(event.target));
            }}
            onScroll={(event) => {
              if (mirror.current) mirror.current.style.transform = `translateX(${-event.currentTarget.scrollLeft}px)`;
            }}
            onFocus={(event) => filter.write(text, cursor(event.target))}
            onClick={(event) => {
              setOpen(true);
              filter.write(text, cursor(event.currentTarget));
            }}
            onBlur={() => setOpen(false)} onKeyDown={key} />
          {text === "" ? <kbd>/</kbd> : (
            <button type="button" className="filter-clear" aria-label="Clear the filter" onClick={() => commit("")}>
              <Icon name="cross" size={13} />
            </button>
          )}
        </div>
        {items.length > 0 ? (
          // The list belongs to the field, which keeps the focus and hears the keys: a select cannot do that.
          // eslint-disable-next-line jsx-a11y/prefer-tag-over-role
          <div className="completion" role="listbox" id={`${id}list`} aria-label="Completions" ref={list} tabIndex={-1}>
            {said}
            {items.map((item, i) => (
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/prefer-tag-over-role
              <div key={`${item.kind}${item.text}`} id={`${id}${i}`} role="option" aria-selected={i === at} tabIndex={-1}
                onMouseDown={(event) => event.preventDefault()} onClick={() => take(item)}>
                <span className="clip">{item.text}</span>
                <span className="muted small">{item.detail ?? item.kind}</span>
              </div>
            ))}
          </div>
        ) : null}
      </div>
      {error && items.length === 0 ? said : null}
      {failure ? <output className="filter-error"><Icon name="bolt" size={13} /><span>{failure.message}</span></output> : null}
      {known && answer?.valid && answer.clauses.length > 0 ? (
        <ul className="chips" aria-label="Clauses of the filter">
          {answer.clauses.map((clause, i) => (
            <li key={`${i}${clause.text}`} className="chip">
              <code>{clause.text}</code>
              <button type="button" aria-label={`Remove ${clause.text}`} onClick={() => commit(without(answer, i))}><Icon name="cross" size={11} /></button>
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
