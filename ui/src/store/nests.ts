// What is nested in the runs of a table that the reader has opened: read when one is opened, kept fresh by the feed.
import { type RunsQuestion, tracking } from "../api/tracking";
import type { Page, Run } from "../api/types";
import { newestFirst } from "./runs";

const FIRST = 100; // runs that are read when one is opened
const PAGE = 500;
const MOST_AT_ONCE = 1000; // that the server gives

/** What is nested in one run, in the order of the table. */
export interface Nest {
  runs: readonly Run[];
  /** There are more than were read. */
  more: boolean;
  /** The server has answered. */
  complete: boolean;
}

interface Held extends Nest {
  cursor: string | null;
  /** Something in it may have changed since it was read. */
  stale: boolean;
  /** Which read of it began last, and how many go on. */
  turn: number;
  reading: number;
}

const EMPTY: Held = { runs: [], more: false, complete: false, cursor: null, stale: true, turn: 0, reading: 0 };

export class Nests {
  /** By the run that is open. */
  #held = new Map<string, Held>();

  constructor(readonly project: string) {}

  get all(): ReadonlyMap<string, Nest> {
    return new Map(this.#held);
  }

  get isStale(): boolean {
    return [...this.#held.values()].some(({ stale }) => stale);
  }

  /** Those that are open are these; what is nested in the others is forgotten. */
  open(ids: readonly string[]): void {
    this.#held = new Map(ids.map((id) => [id, this.#held.get(id) ?? { ...EMPTY }]));
  }

  /** Everything is to be read again; `anew`: for another question, so that the rows are no answer at all. */
  spoil(anew: boolean): void {
    for (const [id, held] of this.#held) {
      this.#held.set(id, anew ? { ...EMPTY, turn: held.turn + 1 } : { ...held, stale: true });
    }
  }

  /** Reads what was not read, or may have changed. */
  async read(asked: RunsQuestion, signal?: AbortSignal): Promise<void> {
    const stale = [...this.#held].filter(([, held]) => held.stale).map(([id]) => id);
    await Promise.all(stale.map((id) => this.#read(id, asked, signal)));
  }

  async #read(parent: string, asked: RunsQuestion, signal?: AbortSignal): Promise<void> {
    const before = this.#held.get(parent);
    if (!before) return;
    const turn = before.turn + 1;
    this.#held.set(parent, { ...before, turn, stale: false, reading: before.reading + 1 });
    const wanted = Math.max(FIRST, before.runs.length);
    const runs: Run[] = [];
    let [cursor, done]: [string | null, boolean] = [null, false];
    try {
      do {
        const page: Page<Run> = await tracking.runs(this.project, { ...asked, parent }, Math.min(MOST_AT_ONCE, wanted - runs.length), cursor, signal);
        runs.push(...page.items);
        cursor = page.next;
      } while (cursor !== null && runs.length < wanted);
      done = true;
    } finally {
      const held = this.#held.get(parent);
      if (held) {
        const reading = held.reading - 1;
        if (held.turn !== turn || signal?.aborted) this.#held.set(parent, { ...held, reading, stale: held.stale || held.turn === turn });
        else if (done) this.#held.set(parent, { ...held, reading, runs, cursor, more: cursor !== null, complete: true });
        else this.#held.set(parent, { ...held, reading, stale: true });
      }
    }
  }

  /** Reads the next rows of one. */
  async more(parent: string, asked: RunsQuestion): Promise<void> {
    const before = this.#held.get(parent);
    if (!before || before.cursor === null || before.reading > 0) return;
    const page = await tracking.runs(this.project, { ...asked, parent }, PAGE, before.cursor);
    const held = this.#held.get(parent);
    if (held?.turn !== before.turn || held.cursor !== before.cursor) return;
    const known = new Set(held.runs.map(({ id }) => id));
    this.#held.set(parent, {
      ...held, runs: [...held.runs, ...page.items.filter(({ id }) => !known.has(id))], cursor: page.next, more: page.next !== null,
    });
  }

  /**
   * A run as the feed tells it; `belongs`: it is on this side of the archive. Where it stands among the others, and
   * whether a new one is there, the server says: what that touches is to be read again.
   *
   * Returns whether it is, or was, in one of them.
   */
  changed(run: Run, belongs: boolean, isPlain: boolean): boolean {
    let touches = false;
    for (const [id, held] of this.#held) {
      const isHeld = held.runs.some((each) => each.id === run.id);
      const isIn = belongs && run.parent === id;
      if (!isHeld && !isIn) continue;
      touches = true;
      const last = held.runs[held.runs.length - 1];
      const moves = isHeld ? isIn && !isPlain : !isPlain || !held.more || last === undefined || newestFirst(run, last) < 0;
      this.#held.set(id, {
        ...held, runs: held.runs.flatMap((each) => (each.id !== run.id ? [each] : isIn ? [run] : [])),
        // What is being read now may be older than this.
        stale: held.stale || moves || held.reading > 0,
      });
    }
    return touches;
  }

  gone(run: string): void {
    for (const [id, held] of this.#held) {
      if (!held.runs.some((each) => each.id === run)) continue;
      this.#held.set(id, { ...held, runs: held.runs.filter((each) => each.id !== run), stale: held.stale || held.reading > 0 });
    }
  }
}

/** A row of the table: a run, or below an open one a word on those that are not shown. */
export type RunRow =
  | {
    kind: "run"; key: string; run: Run;
    /** How deep it is nested in what stands above it. */
    depth: number;
    /** Whether what is nested in it is shown; null: nothing is nested in it. */
    isOpen: boolean | null;
    /** It is nested in a run that does not stand above it. */
    isAlone: boolean;
  }
  | { kind: "rest"; key: string; parent: Run; depth: number; state: "reading" | "more" | "none"; left: number };

const made = new WeakMap<Run, RunRow>();

/** The same row for the same run at the same place, so that a table need not draw it anew. */
function rowOf(run: Run, depth: number, isOpen: boolean | null, isAlone: boolean): RunRow {
  const before = made.get(run);
  if (before?.kind === "run" && before.depth === depth && before.isOpen === isOpen && before.isAlone === isAlone) return before;
  const row: RunRow = { kind: "run", key: run.id, run, depth, isOpen, isAlone };
  made.set(run, row);
  return row;
}

/** The rows of a table: runs, and below those that are open what is nested in them; `nests` null: nothing can be opened. */
export function rowsOf(runs: readonly Run[], nests: ReadonlyMap<string, Nest> | null): RunRow[] {
  const rows: RunRow[] = [];
  const seen = new Set<string>();
  const add = (run: Run, depth: number): void => {
    // For a moment a run may be told of in two places.
    if (seen.has(run.id)) return;
    seen.add(run.id);
    const nest = nests?.get(run.id);
    const holds = nests !== null && (run.children ?? 0) > 0;
    rows.push(rowOf(run, depth, holds ? nest !== undefined : null, depth === 0 && run.parent != null));
    if (!holds || nest === undefined) return;
    for (const each of nest.runs) add(each, depth + 1);
    const rest = { kind: "rest" as const, key: `${run.id}\nrest`, parent: run, depth: depth + 1 };
    if (!nest.complete) rows.push({ ...rest, state: "reading", left: 0 });
    else if (nest.more) rows.push({ ...rest, state: "more", left: Math.max(1, (run.children ?? 0) - nest.runs.length) });
    else if (nest.runs.length === 0) rows.push({ ...rest, state: "none", left: 0 });
  };
  for (const run of runs) add(run, 0);
  return rows;
}
