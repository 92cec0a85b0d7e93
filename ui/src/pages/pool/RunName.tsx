// A run by name, as a link where the reader may see it, with where it belongs.
import { Link } from "../../components/basics";
import { pathOf } from "../../router";

interface Props {
  run: string | null;
  run_name: string | null;
  project: string | null;
  sweep: string | null;
  trial: number | null;
}

export function RunName({ run, run_name, project, sweep, trial }: Props) {
  if (run === null || project === null) return <span className="muted">another project’s run</span>;
  const name = run_name ?? run;
  return (
    <span className="run-name">
      <Link to={pathOf({ page: "run", project, run })} className="run-link" title={`${name} of ${project}`}>{name}</Link>
      <span className="muted small clip">
        {sweep === null ? project : <Link to={pathOf({ page: "sweep", project, sweep })} className="quiet-link">{project}{trial === null ? "" : `, trial ${trial}`}</Link>}
      </span>
    </span>
  );
}
