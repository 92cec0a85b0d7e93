// What happened to a run, in words.
import type { Json, RunEvent } from "../api/types";
import { formatValue } from "../format";

const WORDS: Record<string, string> = {
  created: "Created", attempt: "Another attempt", stopRequested: "Asked to stop", roomRequested: "Asked to make room", lent: "Lent to an agent", place: "Moved in the line", renamed: "Renamed", edited: "Edited", tagged: "Tagged",
  configured: "Configuration changed", archived: "Archived", unarchived: "Back from the archive", locked: "Locked", unlocked: "Unlocked",
  nested: "Nested", moved: "Moved", forked: "Forked", rewound: "Rewound", trashed: "Put into the trash", restored: "Restored",
  fileSaved: "File saved", fileDeleted: "File deleted", environment: "Environment changed", model: "Model changed",
};

/** Of a change: what it was before is told as such. */
const MEMBERS: Record<string, string> = { from: "before:", to: "now:" };

const text = (value: Json): string => (Array.isArray(value) ? value.map(formatValue).join(", ") : formatValue(value));

/** A title, what else is known of it, and the state that it led to. Types that this page does not know are told as they are. */
export function eventWords({ type, payload }: RunEvent): { title: string; detail: string; state: string | null } {
  // The hash of a file says nothing to a reader.
  const { reason, sha256: _hash, ...fields } = payload ?? {};
  const to = type === "state" && typeof fields["to"] === "string" ? fields["to"] : null;
  if (to !== null) {
    delete fields["from"];
    delete fields["to"];
  }
  const others = Object.entries(fields).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${MEMBERS[name] ?? name.replaceAll("_", " ")} ${text(value)}`);
  const title = to === null ? WORDS[type] ?? sentence(type) : sentence(to);
  // "Finished: Finished." says nothing twice.
  const told = typeof reason === "string" && reason !== "" && reason !== `${title}.` ? [reason] : [];
  return { title, detail: [...told, ...others].join(", "), state: to };
}

/** timedOut: Timed out. */
function sentence(words: string): string {
  const plain = words.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll(/[._]/g, " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
