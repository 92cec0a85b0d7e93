// A button that opens a short list of things to do; arrows move in it, Escape closes it.
import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { IconButton } from "./basics";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  word: string;
  icon: IconName;
  danger?: boolean;
  run: () => void;
}

interface Props {
  label: string;
  items: readonly MenuItem[];
  icon?: IconName;
  /** A button of another look. */
  trigger?: (open: boolean, toggle: () => void) => ReactNode;
}

export function Menu({ label, items, icon = "more", trigger }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open) list.current?.querySelector("button")?.focus();
  }, [open]);
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) box.current?.querySelector("button")?.focus();
  };
  const left = (event: FocusEvent) => {
    if (!box.current?.contains(event.relatedTarget as Node | null)) setOpen(false);
  };
  const key = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === "Escape") close(true);
    else if (to !== undefined) buttons[(to + buttons.length) % buttons.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="menu" ref={box} onBlur={left}>
      {trigger ? trigger(open, () => setOpen(!open))
        : <IconButton icon={icon} label={label} expanded={open} onClick={() => setOpen(!open)} />}
      {open ? (
        <div className="menu-list" role="menu" aria-label={label} tabIndex={-1} ref={list} onKeyDown={key}>
          {items.map(({ word, icon, danger, run }) => (
            <button key={word} type="button" role="menuitem" className={danger ? "danger" : undefined}
              onClick={() => {
                close(true);
                run();
              }}>
              <Icon name={icon} size={15} />{word}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}
