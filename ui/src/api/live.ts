// The live feed: one WebSocket for the whole page, subscriptions that survive its loss, and a state to show.
import { Store } from "../store/store";
import { session, signOut, token } from "./client";
import { decodeFrame, type PointBlock } from "./frames";
import type { ErrorBody, LiveMessage } from "./types";

/** `connecting` is the first time; after a loss it is `reconnecting`, with the seconds until the next try. */
export type LiveState =
  | { phase: "connecting" }
  | { phase: "live" }
  | { phase: "reconnecting"; seconds: number };

/** What one subscription hears. */
export interface Listener {
  /**
   * From here on nothing is missed: the state is to be read over HTTP after this. Comes again for each renewal, and on a
   * reconnect where the server cannot say what was missed; `anew`: it is the first time on this connection, so that
   * anything may have been missed before. Where the server can, it does not come: what was missed is told.
   */
  subscribed?(anew: boolean): void;
  message?(message: LiveMessage): void;
  points?(blocks: PointBlock[]): void;
  error?(error: ErrorBody): void;
}

/** A subscription's request; asked for anew on each connection, since offsets and sets move on. */
export type Request = () => Record<string, unknown>;

export interface Subscription {
  /** Sends the request again under the same id, which replaces the old one. */
  renew(): void;
  /** A reading begins: until it ends well, the state is not whole, and a lost connection is not gone on with. */
  unsettle(): void;
  /**
   * The state was read, after `subscribed`: from now on it is whole, and a lost connection is gone on with where it
   * ended. Whoever never says so reads anew on each reconnect.
   */
  settle(): void;
  close(): void;
}

/** A subscription as it is held, over all connections. */
interface Held {
  request: Request;
  listener: Listener;
  /** Nothing was heard of it on this connection yet. */
  anew: boolean;
  /** Requests on this connection that were not answered yet: what is read meanwhile may miss what happens. */
  pending: number;
  /** The state is whole up to `seq`: there it can be gone on with. */
  settled: boolean;
  /** The last change that was told, of the feed `epoch`. */
  seq: number;
  epoch: string;
}

const FIRST_DELAY = 250;
const LAST_DELAY = 8000;
const QUIET_AT_LEAST = 30_000;
const STABLE = 5000; // milliseconds that a connection must hold before the failures before it are forgotten

/** The wait before attempt `n` (from 0) to connect again, in milliseconds. */
export function backoff(n: number): number {
  return Math.min(LAST_DELAY, FIRST_DELAY * 2 ** Math.min(n, 10));
}

class LiveFeed {
  readonly state = new Store<LiveState>({ phase: "connecting" });
  #socket: WebSocket | null = null;
  #ready = false;
  #wanted = false;
  #failures = 0;
  #nextId = 1;
  #retry: number | undefined;
  #countdown: number | undefined;
  #stable: number | undefined;
  #watchdog: number | undefined;
  #lastPing = 0;
  #subscriptions = new Map<number, Held>();

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener("offline", this.#offline);
    addEventListener("online", this.retryNow);
    this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    removeEventListener("offline", this.#offline);
    removeEventListener("online", this.retryNow);
    clearTimeout(this.#retry);
    clearInterval(this.#countdown);
    clearTimeout(this.#watchdog);
    clearTimeout(this.#stable);
    this.#drop();
    this.#failures = 0;
    // Who signs in next may see something else.
    for (const held of this.#subscriptions.values()) held.settled = false;
    this.state.set({ phase: "connecting" });
  }

  subscribe(request: Request, listener: Listener): Subscription {
    const id = this.#nextId++;
    const held: Held = { request, listener, anew: true, pending: 0, settled: false, seq: 0, epoch: "" };
    this.#subscriptions.set(id, held);
    const send = () => {
      held.settled = false; // what it asks for now was not read yet
      if (!this.#ready || !this.#subscriptions.has(id)) return;
      held.pending++;
      this.#send({ type: "subscribe", id, ...request() });
    };
    send();
    return {
      renew: send,
      unsettle: () => void (held.settled = false),
      // Of a state that was read while the line was down, or nobody listened, nobody knows what it holds.
      settle: () => void (held.settled = this.#ready && !held.anew && held.pending === 0),
      close: () => {
        this.#subscriptions.delete(id);
        if (this.#ready) this.#send({ type: "unsubscribe", id });
      },
    };
  }

  /** Connects at once instead of when the wait is over. */
  retryNow = (): void => {
    if (this.#wanted && this.#socket === null) this.#connect();
  };

  #connect(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#countdown);
    if (this.state.value.phase === "live") this.state.set({ phase: "connecting" });
    else if (this.state.value.phase === "reconnecting") this.state.set({ phase: "reconnecting", seconds: 0 });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#ready = false;
    socket.onopen = () => this.#send({ type: "auth", token: token() });
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data as string | ArrayBuffer);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    };
  }

  #send(message: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      this.#subscriptions.get(frame.subscription)?.listener.points?.(frame.blocks);
      return;
    }
    const message = JSON.parse(data) as LiveMessage;
    switch (message.type) {
      case "ready":
        this.#ready = true;
        // A server may greet and then close for what it is asked: only a connection that holds is a success.
        this.#stable = setTimeout(() => (this.#failures = 0), STABLE);
        this.#lastPing = 0;
        this.state.set({ phase: "live" });
        for (const [id, held] of this.#subscriptions) {
          held.anew = true;
          held.pending = 1;
          const since = held.settled ? { since: held.seq, epoch: held.epoch } : {};
          this.#send({ type: "subscribe", id, ...held.request(), ...since });
        }
        return;
      case "ping":
        this.#watch();
        // All is told up to here: also of what changed elsewhere, so that a long silence is gone on with as well.
        if (message.seq !== undefined) for (const held of this.#subscriptions.values()) this.#told(held, message.seq);
        return;
      case "told": {
        const held = this.#subscriptions.get(message.id);
        if (held) this.#told(held, message.seq);
        return;
      }
      case "reset":
      case "snapshot":
        return;
      case "error": {
        if (message.id === undefined) {
          console.warn(`Live feed: ${message.error.message}`);
          return;
        }
        const held = this.#subscriptions.get(message.id);
        if (!held) return;
        // It stands for nothing now, and what happens is not told: a ping says nothing of it.
        held.pending = Math.max(0, held.pending - 1);
        held.anew = true;
        held.settled = false;
        held.listener.error?.(message.error);
        return;
      }
      case "subscribed": {
        const held = this.#subscriptions.get(message.id);
        if (!held) return;
        const { anew } = held;
        held.anew = false;
        held.pending = Math.max(0, held.pending - 1);
        if (message.resumed) return; // what was missed comes as if it happened now
        held.settled = false;
        held.seq = message.seq;
        held.epoch = message.epoch ?? "";
        held.listener.subscribed?.(anew);
        return;
      }
      default: {
        const held = this.#subscriptions.get(message.id);
        if (held && message.type === "changed") held.settled = false; // until it was read again
        held?.listener.message?.(message);
        if (held && "seq" in message) this.#told(held, message.seq);
      }
    }
  }

  #told(held: Held, seq: number): void {
    if (!held.anew) held.seq = Math.max(held.seq, seq);
  }

  /** A line can die without a word; once the server's rhythm of pings is known, three missed ones are a loss. */
  #watch(): void {
    const now = performance.now();
    clearTimeout(this.#watchdog);
    if (this.#lastPing > 0) {
      const quiet = Math.max(QUIET_AT_LEAST, 3 * (now - this.#lastPing));
      this.#watchdog = setTimeout(() => this.#lost(0), quiet);
    }
    this.#lastPing = now;
  }

  #offline = (): void => {
    if (this.#socket !== null) this.#lost(0);
  };

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    socket?.close();
  }

  #lost(code: number): void {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#stable);
    this.#drop();
    if (!this.#wanted) return;
    if (code === 4401 && session.value.phase === "in") {
      signOut("You were signed out: the token is no longer valid.");
      return;
    }
    const wait = backoff(this.#failures++);
    this.#retry = setTimeout(() => this.#connect(), wait);
    let seconds = Math.ceil(wait / 1000);
    this.state.set({ phase: "reconnecting", seconds });
    this.#countdown = setInterval(() => this.state.set({ phase: "reconnecting", seconds: Math.max(0, --seconds) }), 1000);
  }
}

export const live = new LiveFeed();
