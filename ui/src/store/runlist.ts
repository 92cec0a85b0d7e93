// The runs of a project that a filter selects, in the server's order: as many pages as were asked for, kept fresh by the feed.
// Without a filter those that are nested in others stand below these, where the reader has opened them.
import { ApiError } from "../api/client";
import { type Count, type RunsQuestion, tracking } from "../api/tracking";
import type { Page, Run, RunState } from "../api/types";
import { slots } from "./colours";
import { MOST_DRAWN } from "./drawn";
import { Follow } from "./follow";
import { type Nest, Nests } from "./nests";
import { Pace } from "./pace";
import { GATHER, newestFirst } from "./runs";
import { Store } from "./store";

export const NEWEST = "-created";
const FIRST = 200; // rows of the first page
const PAGE = 500;
const MOST_AT_ONCE = 1000; // that the server gives
const WANTED_AT_ONCE = 200; // runs that are asked for by id, so that the filter stays of a sane length
const AGAIN = 1200; // milliseconds in which changes are gathered after which the order may be another

export interface RunsState {
  /** In the order of the question. */
  runs: readonly Run[];
  /** By the run that is open, what is nested in it; null: the list is flat, as a filter's is. */
  nests: ReadonlyMap<string, Nest> | null;
  /** All those, and others that were asked for by id. */
  byId: ReadonlyMap<string, Run>;
  /** What `runs` answers: while another question is read, they are those of the one before. */
  asked: RunsQuestion;
  /** Whether the server has answered once. */
  complete: boolean;
  reading: boolean;
  /** Whether there are more runs than were read. */
  more: boolean;
  /** Of the whole project, and of the runs that the filter selects; null until they are known. */
  all: Count | null;
  found: Count | null;
}

const same = (a: RunsQuestion, b: RunsQuestion): boolean => a.q === b.q && a.sort === b.sort && a.archived === b.archived;

export class RunsStore {
  readonly state: Store<RunsState>;
  readonly follow: Follow;
  #asked: RunsQuestion;
  #rows: Run[] = [];
  #others = new Map<string, Run>();
  #nests: Nests;
  #cursor: string | null = null;
  /** Rows that the feed sent while a page was read: what is read of them is older. */
  #fresh = new Map<string, Run | null>();
  #timer: number | undefined;
  #pace: Pace;
  #paging = false;
  /** More was asked for while it could not be read: it is, after the next read that succeeds. */
  #behind = false;
  /** A page could not be read. */
  #failed = false;
  /** The feed may have missed something: everything that is held is read again. */
  #whole = false;
  /** The states of runs beyond the rows that are held: another one changes the counts. */
  #beyond = new Map<string, RunState>();
  #closed = false;

  constructor(readonly project: string, asked: RunsQuestion) {
    this.#asked = asked;
    this.#nests = new Nests(project);
    this.state = new Store<RunsState>({
      runs: [], nests: null, byId: new Map(), asked, complete: false, reading: true, more: false, all: null, found: null,
    });
    this.#pace = new Pace(() => this.follow.read(), AGAIN);
    this.follow = new Follow({
      request: () => ({ topic: "runs", project }),
      read: (signal) => this.#pace.during(() => this.#read(signal)),
      connected: () => {
        this.#whole = true;
      },
      message: (message) => {
        if (message.type === "run") this.#changed(message.run);
        else if (message.type === "deleted") this.#gone(message.run);
      },
    });
  }

  /** Asks another question; the rows of the one before stay until it is answered. */
  ask(asked: RunsQuestion): void {
    if (same(asked, this.#asked)) return;
    this.#asked = asked;
    this.#behind = false;
    this.#nests.spoil(true);
    this.state.set({ ...this.state.value, reading: true });
    this.follow.read();
  }

  /** Which runs the reader has opened: what is nested in them is read. */
  async open(ids: readonly string[]): Promise<void> {
    this.#nests.open(ids);
    await this.#inside((asked) => this.#nests.read(asked));
  }

  /** Reads more of what is nested in an open run. */
  async moreOf(parent: string): Promise<void> {
    await this.#inside((asked) => this.#nests.more(parent, asked));
  }

  /** Reads of nests alone; before the first read, and beside a filter, there are none. */
  async #inside(read: (asked: RunsQuestion) => Promise<void>): Promise<void> {
    this.#publish({});
    if (!this.state.value.complete || this.#asked.q !== "") return;
    try {
      await read(this.#asked);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.#closed) this.follow.error.set(error);
    }
    if (!this.#closed) this.#publish({});
  }

  /**
   * As many rows as are held, or the first page, and how many there are. In the order of their beginning without a
   * filter the first ones do: those that follow are the same as before, and the feed keeps them fresh.
   */
  async #read(signal: AbortSignal): Promise<void> {
    const asked = this.#asked;
    const anew = !same(asked, this.state.value.asked);
    this.state.set({ ...this.state.value, reading: true });
    this.#fresh.clear();
    const held = anew ? 0 : this.#rows.length;
    if (this.#whole) this.#nests.spoil(false);
    const wanted = Math.max(FIRST, isPlain(asked) && !this.#whole ? Math.min(held, MOST_AT_ONCE) : held);
    const rows: Run[] = [];
    let cursor: string | null = null;
    const counts = this.#count(asked, signal);
    // Whoever fails first is told; the other must not be a failure that nobody hears.
    counts.catch(() => {});
    try {
      do {
        const page: Page<Run> = await tracking.runs(this.project, rootsOf(asked), Math.min(MOST_AT_ONCE, wanted - rows.length), cursor, signal);
        rows.push(...page.items);
        cursor = page.next;
      } while (cursor !== null && rows.length < wanted);
      if (asked.q === "") await this.#nests.read(asked, signal);
      const [all, found] = await counts;
      signal.throwIfAborted();
      const last = rows[rows.length - 1];
      const rest = held > wanted && last && cursor !== null ? this.#rows.filter((run) => run.id !== last.id && newestFirst(last, run) < 0) : [];
      if (rest.length === 0) this.#cursor = cursor;
      this.#rows = this.#merged([...rows, ...rest], asked);
      this.#failed = this.#whole = false;
      this.#publish({ asked, complete: true, reading: false, all, found });
    } catch (error) {
      if (!signal.aborted) this.state.set({ ...this.state.value, reading: false });
      throw error;
    }
    if (this.#behind) void this.more();
  }

  async #count(asked: RunsQuestion, signal: AbortSignal): Promise<[Count, Count]> {
    const { archived } = asked;
    const all = tracking.count(this.project, { q: "", archived }, signal);
    return Promise.all([all, asked.q === "" ? all : tracking.count(this.project, { q: asked.q, archived }, signal)]);
  }

  /** What was read, but newer where the feed was quicker. */
  #merged(read: readonly Run[], asked: RunsQuestion): Run[] {
    if (this.#fresh.size === 0) return [...read];
    const rows = read.flatMap((run) => {
      const fresh = this.#fresh.get(run.id);
      return fresh === undefined ? [run] : fresh === null ? [] : [fresh];
    });
    if (isPlain(asked)) {
      const known = new Set(rows.map(({ id }) => id));
      for (const run of this.#fresh.values()) if (run && !known.has(run.id) && this.#belongs(run) && run.parent == null && this.#isNear(run, rows)) rows.push(run);
      rows.sort(newestFirst);
    }
    this.#fresh.clear();
    return rows;
  }

  /** Reads the next page, if there is one. After a failure nothing is read until a read has succeeded. */
  async more(): Promise<void> {
    this.#behind = false;
    if (this.#cursor === null || this.#paging) return;
    if (this.state.value.reading || this.#failed) {
      this.#behind = true;
      return;
    }
    this.#paging = true;
    const [asked, cursor] = [this.#asked, this.#cursor];
    try {
      const page = await tracking.runs(this.project, rootsOf(asked), PAGE, cursor);
      if (this.#closed || !same(asked, this.#asked)) return;
      if (this.#cursor !== cursor) {
        // A read since then ends elsewhere: the page would leave a gap.
        this.#behind = true;
        return;
      }
      const known = new Set(this.#rows.map(({ id }) => id));
      const added = page.items.filter(({ id }) => !known.has(id));
      this.#rows = [...this.#rows, ...added];
      this.#cursor = page.next;
      // Nobody asks again where the table has not become longer.
      this.#behind = added.length === 0;
      this.#publish({});
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#closed || !same(asked, this.#asked)) return;
      this.#behind = this.#failed = true;
      this.follow.error.set(error);
    } finally {
      this.#paging = false;
    }
    if (this.#behind && !this.state.value.reading) await this.more();
  }

  /** Makes sure that runs are known which the filter may leave out, archived ones too. */
  async want(ids: readonly string[]): Promise<void> {
    const { byId } = this.state.value;
    const missing = ids.filter((id) => !byId.has(id) && !this.#others.has(id)).slice(0, MOST_DRAWN);
    try {
      for (let from = 0; from < missing.length && !this.#closed; from += WANTED_AT_ONCE) {
        const part = missing.slice(from, from + WANTED_AT_ONCE);
        const page = await tracking.runs(this.project, {
          q: `id in (${part.map((id) => `"${id}"`).join(", ")})`, sort: NEWEST, archived: "any",
        }, WANTED_AT_ONCE, null);
        for (const run of page.items) this.#others.set(run.id, run);
        if (!this.#closed && page.items.length > 0) this.#publish({});
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.follow.error.set(error);
    }
  }

  /** Whether a run is in the list when nothing is filtered. */
  #belongs(run: Run): boolean {
    return run.project === this.project && run.deleted_at == null && (run.archived_at != null) === this.#asked.archived;
  }

  #changed(run: Run): void {
    this.#fresh.set(run.id, this.#belongs(run) ? run : null);
    if (this.#others.has(run.id)) this.#others.set(run.id, run);
    const at = this.#rows.findIndex(({ id }) => id === run.id);
    const plain = isPlain(this.#asked);
    if (this.#nests.changed(run, this.#belongs(run), plain)) {
      this.#publishSoon();
      if (this.#nests.isStale) this.#readSoon();
    }
    if (at >= 0) {
      const before = this.#rows[at]!;
      const stays = this.#belongs(run) && (this.#asked.q !== "" || before.parent === run.parent || run.parent == null);
      if (stays) this.#rows[at] = run;
      else this.#rows.splice(at, 1);
      this.#publishSoon();
      if (!plain || before.state !== run.state || !stays) this.#readSoon();
    } else if (this.#belongs(run)) {
      if (plain && run.parent == null && this.#isNear(run, this.#rows)) {
        this.#rows.unshift(run);
        this.#rows.sort(newestFirst);
        this.#publishSoon();
      } else if (plain) {
        if (this.#beyond.get(run.id) === run.state) return;
        this.#beyond.set(run.id, run.state);
      }
      this.#readSoon();
    }
  }

  /** Whether a run has its place among rows, or after them where nothing is left to be read. */
  #isNear(run: Run, rows: readonly Run[]): boolean {
    const last = rows[rows.length - 1];
    return this.#cursor === null || last === undefined || newestFirst(run, last) < 0;
  }

  #gone(id: string): void {
    this.#fresh.set(id, null);
    this.#others.delete(id);
    this.#nests.gone(id);
    const at = this.#rows.findIndex((run) => run.id === id);
    if (at >= 0) this.#rows.splice(at, 1);
    this.#publishSoon();
    this.#readSoon();
  }

  #publishSoon(): void {
    this.#timer ??= setTimeout(() => this.#publish({}), GATHER);
  }

  /** Which runs a filter selects, their order and their number are the server's to say. */
  #readSoon(): void {
    this.#pace.mark();
  }

  #publish(changes: Partial<RunsState>): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const runs = [...this.#rows];
    const nests = this.#nests.all;
    const all = [...runs, ...[...nests.values()].flatMap((nest) => nest.runs)];
    slots.assign(this.project, [...all].sort(newestFirst));
    const byId = new Map([...this.#others, ...all.map((run) => [run.id, run] as const)]);
    const isFlat = (changes.asked ?? this.state.value.asked).q !== "";
    this.state.set({ ...this.state.value, runs, nests: isFlat ? null : nests, byId, more: this.#cursor !== null, ...changes });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#pace.close();
    this.follow.close();
  }
}

/** Whether the order and the choice of rows are such that their place is known here. */
const isPlain = ({ q, sort }: RunsQuestion): boolean => q === "" && sort === NEWEST;

/** Without a filter what is nested in other runs stands below these alone. */
const rootsOf = (asked: RunsQuestion) => ({ ...asked, roots: asked.q === "" });
