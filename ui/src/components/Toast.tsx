// Short messages at the edge of the page: something was done, or could not be.
import { Store, useStore } from "../store/store";
import { ApiError } from "../api/client";

interface Message {
  id: number;
  text: string;
  bad: boolean;
  action: Action | null;
}

/** What a message offers to do, once. */
interface Action {
  word: string;
  run: () => void;
}

const messages = new Store<readonly Message[]>([]);
let next = 0;

const SHORT = 3500;
const LONG = 9000; // of what must be read, or can be acted on

export function toast(text: string, { bad = false, action = null }: { bad?: boolean; action?: Action | null } = {}): void {
  const message = { id: next++, text, bad, action };
  messages.set([...messages.value, message].slice(-3));
  setTimeout(() => drop(message), bad || action ? LONG : SHORT);
}

function drop(message: Message): void {
  messages.set(messages.value.filter((each) => each !== message));
}

function act(message: Message): void {
  drop(message);
  message.action?.run();
}

/** Does what the newest message offers: undoes what was done last. */
export function undo(): void {
  const newest = [...messages.value].reverse().find(({ action }) => action !== null);
  if (newest) act(newest);
}

/** Does something that the reader asked for, and says so when it fails. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast([error.message, error.hint].filter(Boolean).join(" "), { bad: true });
    return false;
  }
  if (done !== undefined) toast(done);
  return true;
}

export function Toasts() {
  return (
    <output className="toasts" aria-live="polite">
      {useStore(messages).map((message) => (
        <span key={message.id} className={message.bad ? "toast bad" : "toast"}>
          {message.text}
          {message.action ? <button type="button" onClick={() => act(message)}>{message.action.word}</button> : null}
        </span>
      ))}
    </output>
  );
}
