// What is done once before a sweep's first trial, as long as trials wait for it, or when it went wrong.
import type { Sweep } from "../../api/types";
import { Link } from "../../components/basics";
import { Pill } from "../../components/Pill";
import { pathOf } from "../../router";

export function Preparation({ sweep }: { sweep: Sweep }) {
  const { preparation } = sweep;
  if (!preparation || preparation.state === "finished") return null;
  return (
    <p className="preparation">
      <Link to={pathOf({ page: "run", project: sweep.project, run: preparation.run })}>Its preparation</Link>
      <Pill state={preparation.state} />
      <span className="muted">Trials wait until it has finished.</span>
    </p>
  );
}
