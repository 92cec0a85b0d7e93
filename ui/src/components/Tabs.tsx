// Tabs: one is shown, arrows move between them.
import type { KeyboardEvent } from "react";

export function Tabs<T extends string>(props: {
  label: string; value: T; tabs: readonly (readonly [value: T, word: string])[]; onChange: (value: T) => void;
}) {
  const at = props.tabs.findIndex(([value]) => value === props.value);
  const key = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const to = (at + by + props.tabs.length) % props.tabs.length;
    props.onChange(props.tabs[to]![0]);
    (event.currentTarget.children[to] as HTMLElement).focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={props.label} tabIndex={-1} onKeyDown={key}>
      {props.tabs.map(([value, word]) => (
        <button key={value} type="button" role="tab" aria-selected={value === props.value}
          tabIndex={value === props.value ? 0 : -1} onClick={() => props.onChange(value)}>
          {word}
        </button>
      ))}
    </div>
  );
}
