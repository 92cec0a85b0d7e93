// What the server finds out of a sweep's trials: read again when trials have ended, the old answer stays until the new one is there.
import { readAnalysis, type SweepAnalysis } from "../api/analysis";
import { ApiError } from "../api/client";
import { Pace } from "./pace";
import { Store } from "./store";

/** Milliseconds in which endings are gathered. */
const EVERY = 2000;

type Read = (sweep: string, objective: number, signal: AbortSignal) => Promise<SweepAnalysis>;

export class AnalysisStore {
  readonly state = new Store<SweepAnalysis | null>(null);
  readonly error = new Store<ApiError | null>(null);
  #pace: Pace;
  #abort: AbortController | null = null;
  /** What the trials stood at when the last read was asked for. */
  #stamp: string | null = null;

  constructor(readonly sweep: string, readonly objective: number, readonly from: Read = readAnalysis) {
    this.#pace = new Pace(() => this.read(), EVERY);
  }

  /** The trials stand so now: what was read before is old when it stands for something else. The first read is at once. */
  follow(stamp: string): void {
    if (stamp === this.#stamp) return;
    const isFirst = this.#stamp === null;
    this.#stamp = stamp;
    if (isFirst) this.read();
    else this.#pace.mark();
  }

  read = (): void => {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    void this.#pace.during(async () => {
      try {
        const found = await this.from(this.sweep, this.objective, abort.signal);
        if (abort.signal.aborted) return;
        this.error.set(null);
        this.state.set(found);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        this.error.set(error);
      }
    });
  };

  close(): void {
    this.#abort?.abort();
    this.#pace.close();
  }
}
