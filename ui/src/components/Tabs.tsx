// Tabs: one is shown, arrows move between them.
import { type KeyboardEvent, useEffect, useRef } from "react";

export function Tabs<T extends string>(props: {
  label: string; value: T; tabs: readonly (readonly [value: T, word: string])[]; onChange: (value: T) => void;
}) {
  const at = props.tabs.findIndex(([value]) => value === props.value);
  const list = useRef<HTMLDivElement>(null);
  // Where there is no room for all of them, the chosen one is in sight.
  useEffect(() => {
    const box = list.current;
    const chosen = box?.children[at] as HTMLElement | undefined;
    if (box && chosen) box.scrollLeft = chosen.offsetLeft - box.offsetLeft - (box.clientWidth - chosen.offsetWidth) / 2;
  }, [at]);
  const key = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const to = (at + by + props.tabs.length) % props.tabs.length;
    props.onChange(props.tabs[to]![0]);
    (event.currentTarget.children[to] as HTMLElement).focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={props.label} tabIndex={-1} onKeyDown={key} ref={list}>
      {props.tabs.map(([value, word]) => (
        <button key={value} type="button" role="tab" aria-selected={value === props.value}
          tabIndex={value === props.value ? 0 : -1} onClick={() => props.onChange(value)}>
          {word}
        </button>
      ))}
    </div>
  );
}
