// Groups of runs that agree in some names: how they spread, and which runs they hold.
import { ApiError } from "../api/client";
import { type Group, type Spread, tracking } from "../api/tracking";
import type { Json, Page, Run, RunState } from "../api/types";
import type { SpreadKind } from "../charts/mean";
import { formatMetric, formatSpread, formatValue, toNumber } from "../format";
import { Follow } from "./follow";
import { Pace } from "./pace";
import { fieldTitle } from "./sorting";
import { Store } from "./store";

export const SPREADS: readonly (readonly [SpreadKind, string])[] = [
  ["sd", "± sd"], ["se", "± se"], ["ci95", "95 % CI"], ["iqr", "median, IQR"],
];

export const MEMBERS = 20; // of a group that are read, and drawn
const PAGE = 100;
const MOST_AT_ONCE = 1000; // that the server gives
const AGAIN = 1500; // milliseconds in which changes are gathered

/** The middle and the reach of a spread; null without values. */
export function reachOf(spread: Spread | undefined, kind: SpreadKind): { middle: number; low: number; high: number } | null {
  if (!spread || spread.count === 0) return null;
  if (kind === "iqr") return { middle: toNumber(spread.median), low: toNumber(spread.q1), high: toNumber(spread.q3) };
  const middle = toNumber(spread.mean);
  const by = spread[kind] === null ? 0 : toNumber(spread[kind]);
  return { middle, low: middle - by, high: middle + by };
}

/** A spread in a cell: `0.412 ± 0.02`, or `0.41 [0.39, 0.44]`. One value has no spread. */
export function spreadText(spread: Spread | undefined, kind: SpreadKind): string {
  const reach = reachOf(spread, kind);
  if (!spread || !reach) return "";
  if (spread.count === 1) return formatMetric(reach.middle);
  return kind === "iqr" ? `${formatMetric(reach.middle)} [${formatMetric(reach.low)}, ${formatMetric(reach.high)}]`
    : `${formatMetric(reach.middle)} ± ${formatSpread(reach.high - reach.middle)}`;
}

/** A group's values in words. */
export function groupName(by: readonly string[], key: readonly Json[]): string {
  return by.map((name, i) => `${fieldTitle(name)} = ${key[i] === null || key[i] === undefined ? "none" : formatValue(key[i])}`).join(", ");
}

/** A group's values where a head above them says what they are of: of several names, the values alone. */
export function groupLabel(by: readonly string[], key: readonly Json[]): string {
  if (by.length < 2) return groupName(by, key);
  return by.map((_, i) => (key[i] === null || key[i] === undefined ? "none" : formatValue(key[i]))).join(" · ");
}

/** A stable name of a group: what it was grouped by, with its values. */
export const groupId = (by: readonly string[], key: readonly Json[]): string => `group:${JSON.stringify([by, key])}`;

/** `group=` of the address: names with commas between them. */
export function parseGroup(text: string | null): string[] {
  return (text ?? "").split(",").map((name) => name.trim()).filter((name, i, all) => name !== "" && all.indexOf(name) === i);
}

export interface GroupsQuestion {
  q: string;
  by: readonly string[];
  /** Metrics with their aggregates. */
  values: readonly string[];
  sort: string | null;
  /** Of the archived runs, or of the others. */
  archived: boolean;
}

export interface Member {
  runs: readonly Run[];
  /** Whether the group holds more. */
  more: boolean;
}

export interface GroupsState {
  /** What `groups` answers. */
  asked: GroupsQuestion;
  /** What was asked last: as long as it is another question, `groups` are those of the one before. */
  wanted: GroupsQuestion;
  groups: readonly Group[];
  /** The runs of the groups that were opened or are drawn, by the group's id. */
  members: ReadonlyMap<string, Member>;
  complete: boolean;
  reading: boolean;
  more: boolean;
}

const asText = (asked: GroupsQuestion): string => JSON.stringify(asked);

export class GroupsStore {
  readonly state: Store<GroupsState>;
  readonly follow: Follow;
  #asked: GroupsQuestion;
  #cursor: string | null = null;
  #wanted = new Map<string, Group>();
  #pace: Pace;
  #paging = false;
  /** More was asked for while it could not be read: it is, after the next read that succeeds. */
  #behind = false;
  /** A page could not be read. */
  #failed = false;
  #closed = false;

  constructor(readonly project: string, asked: GroupsQuestion) {
    this.#asked = asked;
    this.state = new Store<GroupsState>({ asked, wanted: asked, groups: [], members: new Map(), complete: false, reading: true, more: false });
    this.#pace = new Pace(() => this.follow.read(), AGAIN);
    this.follow = new Follow({
      request: () => ({ topic: "runs", project }),
      read: (signal) => this.#pace.during(() => this.#read(signal)),
      message: (message) => {
        if (message.type === "run" || message.type === "deleted") this.#pace.mark();
      },
    });
  }

  ask(asked: GroupsQuestion): void {
    if (asText(asked) === asText(this.#asked)) return;
    this.#asked = asked;
    this.#behind = false;
    this.state.set({ ...this.state.value, wanted: asked });
    this.follow.read();
  }

  /** As many groups as are held, or the first page; then the runs of those that are wanted. */
  async #read(signal: AbortSignal): Promise<void> {
    const asked = this.#asked;
    this.state.set({ ...this.state.value, reading: true });
    try {
      const held = asked === this.state.value.asked ? this.state.value.groups.length : 0;
      const groups: Group[] = [];
      let cursor: string | null = null;
      do {
        const limit = Math.min(MOST_AT_ONCE, Math.max(PAGE, held) - groups.length);
        const page: Page<Group> = await tracking.groups(this.project, { ...asked, limit, cursor }, signal);
        signal.throwIfAborted();
        groups.push(...page.items);
        cursor = page.next;
      } while (cursor !== null && groups.length < held);
      this.#cursor = cursor;
      this.#failed = false;
      this.state.set({ ...this.state.value, asked, groups, complete: true, reading: false, more: cursor !== null });
    } catch (error) {
      if (!signal.aborted) this.state.set({ ...this.state.value, reading: false });
      throw error;
    }
    if (this.#behind) void this.more();
    for (const [id, group] of this.#wanted) await this.#readMembers(id, group, signal);
  }

  /** Reads the next page, if there is one. After a failure nothing is read until a read has succeeded. */
  async more(): Promise<void> {
    const [asked, cursor] = [this.#asked, this.#cursor];
    this.#behind = false;
    if (cursor === null || this.#paging) return;
    if (this.state.value.reading || this.#failed) {
      this.#behind = true;
      return;
    }
    this.#paging = true;
    try {
      const page = await tracking.groups(this.project, { ...asked, limit: PAGE, cursor });
      // A read since then has brought another end, or another question.
      if (this.#closed || this.#cursor !== cursor || asked !== this.#asked) return;
      this.#cursor = page.next;
      const known = new Set(this.state.value.groups.map(({ key }) => groupId(asked.by, key)));
      const groups = [...this.state.value.groups, ...page.items.filter(({ key }) => !known.has(groupId(asked.by, key)))];
      this.state.set({ ...this.state.value, groups, more: page.next !== null });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#closed || asked !== this.#asked) return;
      this.#behind = this.#failed = true;
      this.follow.error.set(error);
    } finally {
      this.#paging = false;
    }
  }

  /** Wants the runs of these groups, and of no others. */
  want(groups: readonly Group[]): void {
    const by = this.#asked.by;
    const wanted = new Map(groups.map((group) => [groupId(by, group.key), group]));
    const added = [...wanted].filter(([id]) => !this.#wanted.has(id));
    this.#wanted = wanted;
    for (const [id, group] of added) {
      this.#readMembers(id, group).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        this.follow.error.set(error);
      });
    }
  }

  async #readMembers(id: string, group: Group, signal?: AbortSignal): Promise<void> {
    const { filter } = group;
    const page: Page<Run> = filter === null ? { items: [], next: "" }
      : await tracking.runs(this.project, { q: filter, sort: "-created", archived: this.#asked.archived }, MEMBERS, null, signal);
    if (this.#closed || signal?.aborted) return;
    const members = new Map(this.state.value.members);
    members.set(id, { runs: page.items, more: page.next !== null });
    for (const held of members.keys()) if (!this.#wanted.has(held)) members.delete(held);
    this.state.set({ ...this.state.value, members });
  }

  close(): void {
    this.#closed = true;
    this.#pace.close();
    this.follow.close();
  }
}

/** What a group's states say in a line: the lively ones first. */
export function statesText(states: Partial<Record<RunState, number>>): string {
  const order: RunState[] = ["running", "starting", "queued", "lost", "failed", "crashed", "killed", "timedOut", "stopped", "preempted", "finished"];
  return order.flatMap((state) => (states[state] ? [`${states[state]} ${state === "timedOut" ? "timed out" : state}`] : [])).join(", ");
}
