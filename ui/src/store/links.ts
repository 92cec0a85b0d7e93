// The web addresses in a text that somebody wrote.

export interface TextPart {
  text: string;
  link: boolean;
}

const ADDRESS = /https?:\/\/[^\s<>"]+/g;

/** A text in parts: addresses, and what stands between them. What ends a sentence is no part of its address. */
export function linkParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const index = match.index ?? 0;
    const address = (match[0] ?? "").replace(/[.,;:!?'*_)\]}]+$/, "");
    if (index > from) parts.push({ text: text.slice(from, index), link: false });
    parts.push({ text: address, link: true });
    from = index + address.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), link: false });
  return parts;
}
