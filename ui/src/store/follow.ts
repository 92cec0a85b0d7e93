// Reading a state and keeping it fresh: subscribe first, read over HTTP after, and read again where the feed cannot say what was missed.
import { ApiError } from "../api/client";
import type { PointBlock } from "../api/frames";
import { live, type Request, type Subscription } from "../api/live";
import type { LiveMessage } from "../api/types";
import { Store } from "./store";

/** How long to wait for the live feed before the state is read without it. */
const PATIENCE = 800;

interface Parts {
  request: Request;
  read(signal: AbortSignal): Promise<void>;
  /** The feed is heard for the first time, or again after a loss; `read` comes next. */
  connected?(): void;
  message?(message: LiveMessage): void;
  points?(blocks: PointBlock[]): void;
}

/** One followed state. Failures are kept in `error` until a read succeeds. */
export class Follow {
  readonly error = new Store<ApiError | null>(null);
  #subscription: Subscription;
  #abort: AbortController | null = null;
  #timer: number | undefined;

  constructor(readonly parts: Parts) {
    this.#subscription = live.subscribe(parts.request, {
      subscribed: (anew) => {
        if (anew) parts.connected?.();
        this.read();
      },
      ...(parts.message ? { message: (message: LiveMessage) => parts.message!(message) } : {}),
      ...(parts.points ? { points: (blocks: PointBlock[]) => parts.points!(blocks) } : {}),
      error: (error) => this.error.set(new ApiError(0, error.code, error.message, error.hint ?? null)),
    });
    this.#timer = setTimeout(() => this.read(), PATIENCE);
  }

  /** Asks for something else: the request is sent anew, and what it names is read. */
  renew(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort(); // what it reads is not what is asked for now
    this.#subscription.renew();
    this.#timer = setTimeout(() => this.read(), live.state.value.phase === "live" ? PATIENCE : 0);
  }

  read = (): void => {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    // Where it fails, the state is read again after the next loss, not gone on with.
    this.#subscription.unsettle();
    this.parts.read(abort.signal).then(
      () => {
        if (abort.signal.aborted) return;
        this.error.set(null);
        this.#subscription.settle();
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        this.error.set(error);
      },
    );
  };

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#subscription.close();
  }
}
