import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

// Run in ui/, where scripts/ui-test starts it.
const css = readFileSync("styles/tokens.css", "utf8");

/** The tokens of one block of the file. */
function tokens(block: string): Map<string, string> {
  const start = css.indexOf(block);
  assert.ok(start >= 0, block);
  const text = css.slice(start, css.indexOf("}", start));
  return new Map([...text.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]));
}

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const themes = { light: tokens(":root {"), dark: tokens(':root[data-theme="dark"] {') };
const surfaces = ["--page", "--panel", "--raised", "--sunken", "--hover", "--selected"];

for (const [name, theme] of Object.entries(themes)) {
  const need = (front: string, back: string, least: number) => {
    const ratio = contrast(theme.get(front)!, theme.get(back)!);
    assert.ok(ratio >= least, `${front} on ${back} is ${ratio.toFixed(2)} : 1 in ${name}, and needs ${least} : 1`);
  };
  test(`text can be read on every surface (${name})`, () => {
    for (const surface of surfaces) for (const text of ["--text", "--muted", "--accent-text"]) need(text, surface, 4.5);
    for (const surface of ["--page", "--panel", "--sunken"]) need("--faint", surface, 4.5);
    need("--on-accent", "--accent", 4.5);
  });
  test(`states can be read (${name})`, () => {
    for (const tone of ["good", "bad", "warn", "live", "idle"]) {
      need(`--${tone}`, `--${tone}-back`, 4.5);
      need(`--${tone}`, "--panel", 4.5);
    }
  });
  test(`lines and the borders of controls can be seen (${name})`, () => {
    for (let i = 0; i < 8; i++) need(`--line-${i}`, "--panel", 3);
    need("--border-strong", "--panel", 3);
    need("--accent", "--panel", 3);
  });
}

test("the system's dark theme and the chosen one are the same", () => {
  const system = tokens(':root:not([data-theme="light"]) {');
  assert.deepEqual([...system], [...themes.dark]);
});
