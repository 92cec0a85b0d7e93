// The browser around a store: a clock, the live feed's socket and the HTTP API, all in the test's hands.

interface Timer {
  id: number;
  at: number;
  every: number | null;
  run: () => void;
}

/** Stands in for the global timers; time passes only in `pass`. */
export class FakeClock {
  now = 0;
  #timers = new Map<number, Timer>();
  #next = 1;

  constructor() {
    const add = (run: () => void, wait: number, every: number | null): number => {
      const id = this.#next++;
      this.#timers.set(id, { id, at: this.now + wait, every, run });
      return id;
    };
    const remove = (id: number | undefined) => void this.#timers.delete(id ?? 0);
    Object.assign(globalThis, {
      setTimeout: (run: () => void, wait = 0) => add(run, wait, null),
      setInterval: (run: () => void, wait = 0) => add(run, wait, wait),
      clearTimeout: remove,
      clearInterval: remove,
    });
  }

  /** Lets milliseconds pass, and all that happens in them. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers.values()].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!due) break;
      this.now = due.at;
      if (due.every === null) this.#timers.delete(due.id);
      else due.at += due.every;
      due.run();
      await settle();
    }
    this.now = end;
  }
}

/** Lets promises that are due come true. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

type Message = Record<string, unknown>;

/** The page's end of a WebSocket, with the server's end for the test. */
export class FakeSocket {
  static readonly OPEN = 1;
  /** Each connection that was ever begun, in order. */
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  /** What the page said. */
  said: Message[] = [];

  constructor(readonly address: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all[FakeSocket.all.length - 1]!;
  }

  send(text: string): void {
    this.said.push(JSON.parse(text) as Message);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server takes the connection and the token. */
  open(): void {
    this.readyState = 1;
    this.onopen?.();
    this.tell({ type: "ready", principal: "local", epoch: "first", seq: 0 });
  }

  tell(message: Message): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Points of one run and key, by the numbers that a `names` message gave them. */
  points(subscription: number, run: number, key: number, points: readonly (readonly [number, number])[]): void {
    const view = new DataView(new ArrayBuffer(24 + points.length * 16));
    [subscription, 0, key, run, points.length, 0].forEach((value, i) => view.setUint32(i * 4, value, true));
    points.forEach(([step, value], i) => {
      view.setBigInt64(24 + i * 8, BigInt(step), true);
      view.setFloat64(24 + (points.length + i) * 8, value, true);
    });
    this.onmessage?.({ data: view.buffer });
  }

  /** The server, or the network, ends it. */
  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** The subscriptions that the page asked for on this connection. */
  get asked(): Message[] {
    return this.said.filter(({ type }) => type === "subscribe");
  }
}

/** Puts a browser's globals in place, and gives the clock. */
export function browser(): FakeClock {
  const define = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true });
  define("location", { protocol: "http:", host: "martlet.test" });
  define("localStorage", { getItem: () => "token", setItem: () => {}, removeItem: () => {} });
  define("addEventListener", () => {});
  define("removeEventListener", () => {});
  define("WebSocket", FakeSocket);
  return new FakeClock();
}
