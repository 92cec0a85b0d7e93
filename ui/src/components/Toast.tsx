// Short messages at the edge of the page: something was done, or could not be.
import { Store, useStore } from "../store/store";
import { ApiError } from "../api/client";

interface Message {
  id: number;
  text: string;
  bad: boolean;
}

const messages = new Store<readonly Message[]>([]);
let next = 0;

export function toast(text: string, bad = false): void {
  const message = { id: next++, text, bad };
  messages.set([...messages.value, message].slice(-3));
  setTimeout(() => messages.set(messages.value.filter((each) => each !== message)), bad ? 9000 : 3500);
}

/** Does something that the reader asked for, and says so when it fails. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast([error.message, error.hint].filter(Boolean).join(" "), true);
    return false;
  }
  if (done !== undefined) toast(done);
  return true;
}

export function Toasts() {
  return (
    <output className="toasts" aria-live="polite">
      {useStore(messages).map((message) => (
        <span key={message.id} className={message.bad ? "toast bad" : "toast"}>{message.text}</span>
      ))}
    </output>
  );
}
