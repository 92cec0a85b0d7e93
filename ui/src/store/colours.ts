// Which colour a run has, the same on every page and for ever. A sweep's runs have that of their trial's number, so that
// neighbours differ; other runs get theirs in the order of creation, and this browser keeps it.
import { COLOURS } from "../charts/palette";
import { Store } from "./store";

interface Coloured {
  id: string;
  trial: number | null;
}

const KEPT = 3000; // runs per project whose colours are remembered in this browser

/** The slot of a run that no list has shown yet: from its id, so that it is at least the same each time. */
function slotOfId(id: string): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0;
  return hash % COLOURS;
}

class Slots {
  #slots = new Map<string, number>();
  #next = new Map<string, number>();
  /** Moves when slots were given out. */
  readonly version = new Store(0);

  of({ id, trial }: Coloured): number {
    return trial ?? this.#slots.get(id) ?? slotOfId(id);
  }

  /** Gives each run of a project that has no slot yet the next one, oldest first. */
  assign(project: string, newestFirst: readonly Coloured[]): void {
    let next = this.#next.get(project) ?? this.#load(project);
    const before = next;
    for (let i = newestFirst.length - 1; i >= 0; i--) {
      const { id, trial } = newestFirst[i]!;
      if (trial === null && !this.#slots.has(id)) this.#slots.set(id, next++);
    }
    if (next === before) return;
    this.#next.set(project, next);
    this.#save(project, newestFirst, next);
    this.version.set(this.version.value + 1);
  }

  #load(project: string): number {
    const text = localStorage.getItem(`martlet.colours.${project}`);
    if (text === null) return 0;
    try {
      const kept = JSON.parse(text) as { next: number; slots: Record<string, number> };
      for (const [id, slot] of Object.entries(kept.slots)) this.#slots.set(id, slot);
      return kept.next;
    } catch {
      localStorage.removeItem(`martlet.colours.${project}`); // written by something else: begin anew
      return 0;
    }
  }

  #save(project: string, newestFirst: readonly Coloured[], next: number): void {
    const own = newestFirst.filter(({ trial }) => trial === null);
    const kept = own.slice(0, KEPT).map((run) => [run.id, this.of(run)] as const);
    keep(`martlet.colours.${project}`, JSON.stringify({ next, slots: Object.fromEntries(kept) }));
  }
}

export const slots = new Slots();

/** The slots of lines that are drawn together: each keeps its colour, and is dashed only where another has the same. */
export function spread(taken: readonly number[]): number[] {
  const out = taken.map(() => 0);
  const used = new Map<number, number>();
  const order = taken.map((_, i) => i).sort((a, b) => taken[a]! - taken[b]! || a - b);
  for (const i of order) {
    const colour = taken[i]! % COLOURS;
    const before = used.get(colour) ?? 0;
    used.set(colour, before + 1);
    out[i] = colour + COLOURS * before;
  }
  return out;
}

/** Writes to the browser's storage; a full or forbidden one loses comfort, not data, and is told on the console. */
export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch (error) {
    console.info(`This browser keeps no settings: ${String(error)}`);
  }
}
