// When a state is read again after changes: they are gathered, and a read that takes long is not overtaken by the next one.

/** Asks for a read some time after the first change, never during a read, and after one not sooner than it took. */
export class Pace {
  #timer: number | undefined;
  /** Which read is the last that began; an older one was given up for it. */
  #turn = 0;
  #reading = false;
  /** Something changed while a read was under way. */
  #marked = false;
  /** Before this time nothing is read again. */
  #rest = 0;

  /** `every`: milliseconds in which changes are gathered. `now`: milliseconds of a clock that only goes forward. */
  constructor(readonly read: () => void, readonly every: number, readonly now: () => number = () => performance.now()) {}

  /** Something changed. */
  mark(): void {
    if (this.#reading) {
      this.#marked = true;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.read();
    }, Math.max(this.every, this.#rest - this.now()));
  }

  /** Does a read, whoever asked for it: what was marked before is in it. */
  async during(work: () => Promise<void>): Promise<void> {
    const turn = ++this.#turn;
    const began = this.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    [this.#reading, this.#marked] = [true, false];
    try {
      await work();
    } finally {
      if (turn === this.#turn) {
        const ended = this.now();
        this.#rest = ended + (ended - began);
        this.#reading = false;
        if (this.#marked) this.mark();
      }
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#turn++;
    this.#reading = true; // what is marked now stays unread
  }
}
