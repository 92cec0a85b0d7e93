// Which project is shown, and the way to another.
import type { Project } from "../api/types";
import { navigate, pathOf, place } from "../router";

export function ProjectSwitcher({ projects, current }: { projects: readonly Project[]; current: string | null }) {
  if (projects.length === 0 && current === null) return null;
  const names = projects.map(({ name }) => name);
  if (current !== null && !names.includes(current)) names.unshift(current);
  const change = (name: string) => {
    if (name === "") navigate("/");
    else {
      const page = place.value.route.page;
      navigate(pathOf({ page: page === "sweeps" || page === "sweep" ? "sweeps" : "runs", project: name }));
    }
  };
  return (
    <label className="switcher">
      <span className="unseen">Project</span>
      <select value={current ?? ""} onChange={(event) => change(event.target.value)}>
        <option value="">All projects</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
}
