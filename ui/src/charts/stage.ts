// The stage: decides when a canvas draws. Only canvases on screen do, all in one animation frame, each at most once.

export interface Drawable {
  readonly element: HTMLElement;
  /** Draws everything; called only while the element is on screen. */
  draw(): void;
  /** Draws what follows the pointer. */
  drawOver(): void;
}

class Stage {
  #dirty = new Set<Drawable>();
  #over = new Set<Drawable>();
  #visible = new Set<Drawable>();
  #byElement = new Map<Element, Drawable>();
  #frame = 0;
  #seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const drawable = this.#byElement.get(entry.target);
      if (!drawable) continue;
      if (entry.isIntersecting) this.#visible.add(drawable);
      else this.#visible.delete(drawable);
    }
    this.#schedule();
  }, { rootMargin: "64px" });
  #sized = new ResizeObserver((entries) => {
    for (const entry of entries) {
      const drawable = this.#byElement.get(entry.target);
      if (drawable) this.invalidate(drawable);
    }
  });

  add(drawable: Drawable): void {
    this.#byElement.set(drawable.element, drawable);
    this.#dirty.add(drawable);
    this.#seen.observe(drawable.element);
    this.#sized.observe(drawable.element);
  }

  remove(drawable: Drawable): void {
    this.#byElement.delete(drawable.element);
    this.#seen.unobserve(drawable.element);
    this.#sized.unobserve(drawable.element);
    this.#dirty.delete(drawable);
    this.#over.delete(drawable);
    this.#visible.delete(drawable);
  }

  isVisible(drawable: Drawable): boolean {
    return this.#visible.has(drawable);
  }

  /** Everything of it is to be drawn again, once it is on screen. */
  invalidate(drawable: Drawable): void {
    this.#dirty.add(drawable);
    this.#schedule();
  }

  /** Only what follows the pointer is to be drawn again. */
  invalidateOver(drawable: Drawable): void {
    this.#over.add(drawable);
    this.#schedule();
  }

  /** Colours changed: every canvas is stale. */
  invalidateAll(): void {
    for (const drawable of this.#byElement.values()) this.#dirty.add(drawable);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#run);
  }

  #run = (): void => {
    this.#frame = 0;
    for (const drawable of this.#visible) {
      if (this.#dirty.delete(drawable)) {
        this.#over.delete(drawable);
        drawable.draw();
        drawable.drawOver();
      } else if (this.#over.delete(drawable)) drawable.drawOver();
    }
  };
}

export const stage = new Stage();
