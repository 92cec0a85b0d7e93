// What the charts of one page share: the cursor, the run under the pointer, and the zoom.

export interface Window {
  from: number;
  to: number;
}

/** Charts and tables hear each change; nothing here passes through React. */
export class ChartBus {
  /** Where the pointer is on the x axis, or null when it is on no chart. */
  cursor: number | null = null;
  /** The run that is lit in every chart and in the table. */
  hot: string | null = null;
  /** The part of the x axis that is shown, or null for all of it. */
  zoom: Window | null = null;
  #cursorListeners = new Set<() => void>();
  #zoomListeners = new Set<() => void>();

  onCursor(listener: () => void): () => void {
    this.#cursorListeners.add(listener);
    return () => this.#cursorListeners.delete(listener);
  }

  onZoom(listener: () => void): () => void {
    this.#zoomListeners.add(listener);
    return () => this.#zoomListeners.delete(listener);
  }

  point(cursor: number | null, hot: string | null): void {
    if (cursor === this.cursor && hot === this.hot) return;
    this.cursor = cursor;
    this.hot = hot;
    for (const listener of this.#cursorListeners) listener();
  }

  setZoom(zoom: Window | null): void {
    if (zoom === this.zoom) return;
    this.zoom = zoom;
    for (const listener of this.#zoomListeners) listener();
  }
}
