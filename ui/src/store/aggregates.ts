// Which number of each metric a table shows, as the address says it: `val/loss:min,train/loss:mean`, names percent-encoded.
import { AGGREGATES, type Aggregate } from "./metrics";

export type Aggregates = Readonly<Record<string, Aggregate>>;

export function parseAggregates(text: string | null): Aggregates {
  const out: Record<string, Aggregate> = {};
  for (const part of (text ?? "").split(",")) {
    const colon = part.lastIndexOf(":");
    const aggregate = AGGREGATES.find((each) => each === part.slice(colon + 1));
    if (colon < 1 || !aggregate) continue;
    try {
      out[decodeURIComponent(part.slice(0, colon))] = aggregate;
    } catch {
      continue; // a stray % in a hand-made address
    }
  }
  return out;
}

export function printAggregates(aggregates: Aggregates): string | null {
  const parts = Object.entries(aggregates).map(([name, aggregate]) => `${encodeURIComponent(name).replaceAll("%2F", "/")}:${aggregate}`);
  return parts.length === 0 ? null : parts.join(",");
}
