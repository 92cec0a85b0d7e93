// What the charts of one page share: the cursor, the run under the pointer, and the zoom.

export interface Window {
  from: number;
  to: number;
}

/**
 * Charts and tables hear each change; nothing here passes through React. Charts over different x axes share the lit run
 * alone: each axis has a bus of its own (`over`), and the page's bus stands for all of them.
 */
export class ChartBus {
  /** Where the pointer is on the x axis, or null when it is on no chart. */
  cursor: number | null = null;
  /** The run that is lit in every chart and in the table. */
  hot: string | null = null;
  /** The part of the x axis that is shown, or null for all of it. */
  zoom: Window | null = null;
  #axes = new Map<string, ChartBus>();
  #cursorListeners = new Set<() => void>();
  #zoomListeners = new Set<() => void>();

  constructor(readonly page: ChartBus | null = null) {}

  /** The bus of the charts over one x axis. */
  over(axis: string): ChartBus {
    let held = this.#axes.get(axis);
    if (!held) {
      held = new ChartBus(this);
      held.hot = this.hot;
      this.#axes.set(axis, held);
    }
    return held;
  }

  onCursor(listener: () => void): () => void {
    this.#cursorListeners.add(listener);
    return () => this.#cursorListeners.delete(listener);
  }

  /** Of the page's bus: hears the zoom of every axis. */
  onZoom(listener: () => void): () => void {
    this.#zoomListeners.add(listener);
    return () => this.#zoomListeners.delete(listener);
  }

  /** Whether any axis is zoomed. */
  get zoomed(): boolean {
    return this.zoom !== null || [...this.#axes.values()].some(({ zoom }) => zoom !== null);
  }

  point(cursor: number | null, hot: string | null): void {
    const page = this.page ?? this;
    for (const each of [page, ...page.#axes.values()]) each.#take(each === this ? cursor : null, hot);
  }

  #take(cursor: number | null, hot: string | null): void {
    if (cursor === this.cursor && hot === this.hot) return;
    this.cursor = cursor;
    this.hot = hot;
    for (const listener of this.#cursorListeners) listener();
  }

  setZoom(zoom: Window | null): void {
    const changed = [this, ...this.#axes.values()].filter((each) => each.zoom !== zoom);
    if (changed.length === 0) return;
    for (const each of changed) each.zoom = zoom;
    const told = new Set<ChartBus>([...changed, this.page ?? this]);
    for (const each of told) for (const listener of each.#zoomListeners) listener();
  }
}
