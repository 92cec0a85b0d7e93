// No run matches a filter: which of its clauses removes the last runs, and the way back.
import { useEffect, useState } from "react";
import { ApiError } from "../api/client";
import type { FilterAnswer } from "../api/tracking";
import { Button, Empty } from "../components/basics";
import { plural } from "../format";
import { setQuery } from "../router";
import { emptyingClause, without } from "../store/filter";

interface Props {
  project: string;
  archived: boolean;
  answer: FilterAnswer | null;
  q: string;
  /** How many runs there are without the filter. */
  all: number;
}

export function NothingFound({ project, archived, answer, q, all }: Props) {
  const [found, setFound] = useState<{ index: number; left: number } | null>(null);
  const clauses = answer?.valid ? answer.clauses : [];
  const key = clauses.map(({ text }) => text).join("\n");
  useEffect(() => {
    setFound(null);
    if (!answer?.valid || answer.clauses.length === 0) return;
    const abort = new AbortController();
    emptyingClause(project, answer, archived, abort.signal).then(setFound, (error: unknown) => {
      // The page works without: it only says less.
      if (!abort.signal.aborted && !(error instanceof ApiError)) throw error;
    });
    return () => abort.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the clauses stand for the answer
  }, [project, archived, key]);
  if (q === "") {
    return (
      <Empty icon="archive" title="Nothing is archived">
        <p>Archived runs of {project} are kept here, out of the way of the others.</p>
        <Button onClick={() => setQuery({ archived: null })}>Back to the runs</Button>
      </Empty>
    );
  }
  const last = found ? clauses[found.index] : undefined;
  return (
    <Empty icon="search" title="No run matches the filter">
      {last && found && clauses.length > 1 ? (
        <p><code>{last.text}</code> removes the last {plural(found.left, "run")} that the clauses before it leave.</p>
      ) : <p>{plural(all, "run")} in {project}{archived ? ", archived" : ""}; <code>{q}</code> holds for none of them.</p>}
      <div className="row-actions">
        {last && found && clauses.length > 1 && answer
          ? <Button tone="primary" onClick={() => setQuery({ q: without(answer, found.index) })}>Remove {last.text}</Button> : null}
        <Button onClick={() => setQuery({ q: null })}>Clear the filter</Button>
      </div>
    </Empty>
  );
}
