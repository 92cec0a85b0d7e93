// Rows by id that come from two sides: pages read over HTTP, and single rows from the live feed, which are newer.

export class Rows<Key, Row> {
  #rows = new Map<Key, Row>();
  /** Rows that the feed sent since the reading began: what is read of them is older. */
  #fresh: Set<Key> | null = null;
  #read: Set<Key> | null = null;

  constructor(readonly keyOf: (row: Row) => Key) {}

  get all(): ReadonlyMap<Key, Row> {
    return this.#rows;
  }

  begin(): void {
    this.#fresh = new Set();
    this.#read = new Set();
  }

  /** Takes over what was read, but for rows that the feed has changed meanwhile. */
  page(rows: readonly Row[]): void {
    for (const row of rows) {
      const key = this.keyOf(row);
      this.#read?.add(key);
      if (!this.#fresh?.has(key)) this.#rows.set(key, row);
    }
  }

  /** The reading is complete: rows that are neither in it nor fresh are gone from the server. */
  end(): void {
    for (const key of Array.from(this.#rows.keys())) {
      if (!this.#read?.has(key) && !this.#fresh?.has(key)) this.#rows.delete(key);
    }
    this.#fresh = null;
    this.#read = null;
  }

  /** It is gone; what is being read of it is older. */
  remove(key: Key): void {
    this.#fresh?.add(key);
    this.#rows.delete(key);
  }

  put(row: Row): void {
    const key = this.keyOf(row);
    this.#fresh?.add(key);
    this.#rows.set(key, row);
  }
}
