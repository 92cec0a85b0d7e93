// How busy a GPU was in the last quarter of an hour, as far as this page has looked.
import { type Reading, utilizationPath } from "../../store/lanes";

const [WIDTH, HEIGHT] = [160, 28];

export function Utilization({ readings, until }: { readings: readonly Reading[]; until: number }) {
  const path = utilizationPath(readings, until, WIDTH, HEIGHT);
  return (
    <svg className="utilization" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <path className="base" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      {path === null ? null : (
        <>
          <path className="area" d={path.area} />
          <path className="course" d={path.line} />
        </>
      )}
    </svg>
  );
}
