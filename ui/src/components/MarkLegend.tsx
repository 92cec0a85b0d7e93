// What the marks of trials mean: those that occur, in the shapes and colours of the chart.
import { type MarkKind, SHAPES } from "../charts/marks";

export function MarkLegend({ kinds, line }: { kinds: readonly MarkKind[]; line?: { word: string; token: string } }) {
  return (
    <ul className="mark-legend" aria-label="Legend">
      {kinds.map((kind) => {
        const { word, path, token, filled } = SHAPES[kind];
        return (
          <li key={kind}>
            <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true" focusable="false">
              <path d={path} fill={filled ? `var(--${token})` : "none"} stroke={`var(--${token})`} strokeWidth={filled ? 0 : 1.6} />
            </svg>
            {word}
          </li>
        );
      })}
      {line === undefined ? null : (
        <li>
          <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" focusable="false">
            <path d="M0 9h8V5h10" fill="none" stroke={`var(--${line.token})`} strokeWidth={2} />
          </svg>
          {line.word}
        </li>
      )}
    </ul>
  );
}
