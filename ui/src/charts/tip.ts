// The tooltip: one element for all charts, filled and moved by whichever chart the pointer is on.

export interface TipRow {
  colour: string;
  name: string;
  value: string;
  hot: boolean;
}

const MOST_ROWS = 12;
let element: HTMLElement | null = null;

function part(tag: string, name: string, text = ""): HTMLElement {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

/** Shows the tooltip beside a point of the window. */
export function showTip(x: number, y: number, heading: string, rows: TipRow[]): void {
  if (!element) {
    element = part("div", "tip");
    element.setAttribute("aria-hidden", "true"); // the reading beside the chart says the same
  }
  // An open dialog lies above everything else: the tooltip must be inside to be seen.
  const host = document.querySelector("dialog[open]") ?? document.body;
  if (element.parentElement !== host) host.append(element);
  element.replaceChildren(part("div", "tip-head", heading));
  for (const row of rows.slice(0, MOST_ROWS)) {
    const line = part("div", row.hot ? "tip-row hot" : "tip-row");
    const swatch = part("span", "tip-swatch");
    swatch.style.background = row.colour;
    line.append(swatch, part("span", "tip-name", row.name), part("span", "tip-value", row.value));
    element.append(line);
  }
  if (rows.length > MOST_ROWS) element.append(part("div", "tip-more", `and ${rows.length - MOST_ROWS} more`));
  element.hidden = false;
  const box = element.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth - 8 ? x - 16 - box.width : x + 16;
  const top = Math.min(Math.max(8, y - box.height / 2), innerHeight - box.height - 8);
  element.style.transform = `translate(${Math.round(Math.max(8, left))}px, ${Math.round(top)}px)`;
}

export function hideTip(): void {
  if (element) element.hidden = true;
}
