// Cards of different heights without gaps between them: each takes as many of the grid's low rows as it is high.
import { type RefCallback, useCallback, useRef } from "react";

const ROW = 4; // pixels, as in media.css
const GAP = 12;

/** How many rows a card of a height takes, with the gap below it. */
export const rowsOf = (height: number): number => Math.ceil((height + GAP) / ROW);

/** Watches the cards below an element: those that are there, and those that come. */
export function usePacked(): RefCallback<HTMLElement> {
  const end = useRef<(() => void) | null>(null);
  return useCallback((box: HTMLElement | null) => {
    end.current?.();
    end.current = null;
    if (!box) return;
    const sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const card = target as HTMLElement;
        const rows = `span ${rowsOf(card.offsetHeight)}`;
        if (card.style.gridRowEnd !== rows) card.style.gridRowEnd = rows;
      }
    });
    const watch = () => box.querySelectorAll(".media-cards > *").forEach((card) => sizes.observe(card));
    const changes = new MutationObserver(watch);
    changes.observe(box, { childList: true, subtree: true });
    watch();
    end.current = () => {
      sizes.disconnect();
      changes.disconnect();
    };
  }, []);
}
