// The names that a project's runs can be filtered, sorted, grouped and shown by.
import { ApiError } from "../api/client";
import { type Fields, tracking } from "../api/tracking";
import { Store } from "./store";

const SETTLE = 120; // milliseconds of quiet before the server is asked
const MOST = 500;

export class FieldsStore {
  readonly state = new Store<Fields | null>(null);
  readonly error = new Store<ApiError | null>(null);
  #timer: number | undefined;
  #abort: AbortController | null = null;

  constructor(readonly project: string) {
    this.#read("");
  }

  /** Names that hold a text. */
  search = (text: string): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(text), SETTLE);
  };

  #read(search: string): void {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    tracking.fields(this.project, search, MOST, abort.signal).then(
      (fields) => {
        this.error.set(null);
        if (!abort.signal.aborted) this.state.set(fields);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        this.error.set(error);
      },
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }
}
