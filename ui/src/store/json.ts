// JSON as people read it.

/**
 * The text indented by two spaces, with every number as it was written: parsed and printed, 9007199254740993 would be
 * another one. What is not quite JSON stays as it is.
 */
export function prettyJSON(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const out: string[] = [];
  let depth = 0;
  let opened = false; // nothing stands in the innermost bracket yet
  const line = () => out.push("\n", "  ".repeat(depth));
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "}" || token === "]") {
      depth--;
      if (!opened) line();
      opened = false;
      out.push(token);
      continue;
    }
    if (opened) line();
    opened = token === "{" || token === "[";
    if (opened) depth++;
    out.push(token === ":" ? ": " : token!);
    if (token === ",") line();
  }
  return out.join("");
}
