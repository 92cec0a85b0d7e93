// What a dialog sends: once at a time, and what the server refuses is said in the dialog.
import { useState } from "react";
import { ApiError } from "../api/client";

export interface Sending {
  /** Why the server refused it the last time. */
  error: ApiError | null;
  sending: boolean;
  /** `done` follows where the request succeeded. What is no answer of the server is thrown on. */
  send: (request: () => Promise<unknown>, done: () => void) => Promise<void>;
  /** What was refused has been changed. */
  forget: () => void;
}

export function useSending(): Sending {
  const [error, setError] = useState<ApiError | null>(null);
  const [sending, setSending] = useState(false);
  const send = async (request: () => Promise<unknown>, done: () => void) => {
    setSending(true);
    try {
      await request();
      done();
    } catch (failure) {
      setSending(false);
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
    }
  };
  return { error, sending, send, forget: () => setError(null) };
}
