// Keys: one listener for the page; whoever is on screen says what its keys do.
import { useEffect } from "react";
import { Store } from "./store/store";

export interface Binding {
  /** A key as the browser names it, or two after each other: "g r". */
  key: string;
  does: string;
  run: () => void;
}

const layers: Binding[][] = [];
export const bindings = new Store<readonly Binding[]>([]);

let prefix = "";
let prefixTimer: number | undefined;

function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "range", "button"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function heard(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && takesText(event.target)) {
    (event.target as HTMLElement).blur();
    return;
  }
  if (takesText(event.target) || document.querySelector("dialog[open]")) return;
  // Enter and Space belong to the control that has the focus.
  if ((event.key === "Enter" || event.key === " ") && event.target instanceof HTMLElement &&
    event.target.closest("a, button, input, summary, [role]") !== null) return;
  const pressed = prefix === "" ? event.key : `${prefix} ${event.key}`;
  prefix = "";
  clearTimeout(prefixTimer);
  const all = bindings.value;
  const binding = all.find(({ key }) => key === pressed);
  if (binding) {
    event.preventDefault();
    binding.run();
  } else if (all.some(({ key }) => key.startsWith(`${pressed} `))) {
    prefix = pressed;
    prefixTimer = setTimeout(() => (prefix = ""), 1200);
  }
}

export function listenForKeys(): void {
  addEventListener("keydown", heard);
}

/** Binds keys while a component is on screen; the newest layer wins. */
export function useKeys(layer: Binding[]): void {
  useEffect(() => {
    layers.unshift(layer);
    bindings.set(layers.flat());
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      bindings.set(layers.flat());
    };
  });
}
