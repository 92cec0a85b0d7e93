// What this reader prefers, kept in this browser: theme, and per project the columns and the table's width.
import { renewInk } from "../charts/ink";
import { keep } from "./colours";
import { Store, useStore } from "./store";

export type Theme = "system" | "light" | "dark";

function load<T>(key: string, fallback: T): T {
  const text = localStorage.getItem(key);
  if (text === null) return fallback;
  try {
    return JSON.parse(text) as T;
  } catch {
    return fallback; // written by an older page
  }
}

const prefs = new Map<string, Store<unknown>>();

/** A preference under a name; the same name gives the same store. */
export function pref<T>(name: string, fallback: T): Store<T> {
  const key = `martlet.${name}`;
  let store = prefs.get(key) as Store<T> | undefined;
  if (!store) {
    const made = new Store<T>(load(key, fallback));
    made.subscribe(() => keep(key, JSON.stringify(made.value)));
    prefs.set(key, made as Store<unknown>);
    store = made;
  }
  return store;
}

export function usePref<T>(name: string, fallback: T): [T, (value: T) => void] {
  const store = pref(name, fallback);
  return [useStore(store), (value) => store.set(value)];
}

export const theme = pref<Theme>("theme", "system");

/** Shows the theme, now and whenever it or the system's changes. */
export function applyTheme(): void {
  const apply = () => {
    const root = document.documentElement;
    if (theme.value === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme.value;
    renewInk();
  };
  theme.subscribe(apply);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renewInk);
  apply();
}
