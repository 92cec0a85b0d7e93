// What is read once for a page, and again when asked: an answer, a failure, or neither yet.
import { useCallback, useEffect, useState } from "react";
import { ApiError } from "../api/client";

export interface Once<T> {
  value: T | null;
  error: ApiError | null;
  again: () => void;
}

/** Reads when the component appears and whenever `key` changes; what was read stays until the next answer. */
export function useOnce<T>(read: (signal: AbortSignal) => Promise<T>, key: string): Once<T> {
  const [state, setState] = useState<{ key: string; value: T | null; error: ApiError | null }>({ key, value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    read(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ key, value, error: null }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setState((before) => ({ ...before, error }));
      },
    );
    return () => abort.abort();
    // `read` is a new function each time; the key decides.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, turn]);
  return { value: state.value, error: state.error, again: useCallback(() => setTurn((before) => before + 1), []) };
}

const OFTEN = 10_000; // milliseconds after which what the feed does not tell is read again

/** Reads again every few seconds as long as something goes on. */
export function useOften(again: () => void, active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(again, OFTEN);
    return () => clearInterval(timer);
  }, [again, active]);
}
