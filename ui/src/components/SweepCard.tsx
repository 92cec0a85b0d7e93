// A sweep in a list: state, progress, the best it has found.
import type { Sweep } from "../api/types";
import { formatMetric, plural, toNumber } from "../format";
import { pathOf } from "../router";
import { Ago, Link } from "./basics";
import { Pill } from "./Pill";
import { SweepProgress } from "./SweepProgress";

export function SweepCard({ sweep, withProject = false }: { sweep: Sweep; withProject?: boolean }) {
  return (
    <article className="card sweep-card">
      <header>
        <Link to={pathOf({ page: "sweep", project: sweep.project, sweep: sweep.id })} className="card-title">{sweep.name}</Link>
        <Pill state={sweep.state} />
        <span className="grow" />
        <span className="muted small"><Ago at={sweep.created_at} /></span>
      </header>
      <SweepProgress sweep={sweep} />
      <p className="small sweep-card-foot">
        <span className="muted">{withProject ? `${sweep.project} · ` : ""}{sweep.method} over {plural(sweep.parameters.length, "parameter")}</span>
        {sweep.best === null ? null : (
          <span>best {sweep.metric?.name} <strong>{formatMetric(toNumber(sweep.best.objective))}</strong>{" "}
            <Link to={pathOf({ page: "run", project: sweep.project, run: sweep.best.run })} className="run-link">{sweep.best.run_name}</Link>
          </span>
        )}
      </p>
    </article>
  );
}
