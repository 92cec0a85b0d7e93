// Why the server refused what was asked for in a form, and what to do about it.
import type { ApiError } from "../api/client";
import { Icon } from "./Icon";

export function Refusal({ error }: { error: ApiError | null }) {
  if (error === null) return null;
  return (
    <p className="filter-error" role="alert">
      <Icon name="bolt" size={13} /><span>{error.message}{error.hint ? <span className="hint"> {error.hint}</span> : null}</span>
    </p>
  );
}
