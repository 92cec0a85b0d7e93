// Two panes with a border that can be moved, by pointer or by keys.
import { type ReactNode, useRef } from "react";

interface Props {
  /** The left pane's share of the width. */
  share: number;
  onShare: (share: number) => void;
  full: boolean;
  left: ReactNode;
  right: ReactNode;
}

/** The left pane's share before anybody has moved the border. */
export const AT_FIRST = 0.44;

const clamp = (share: number) => Math.min(0.75, Math.max(0.2, share));

export function Splitter({ share, onShare, full, left, right }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const move = (clientX: number) => {
    const { left: edge, width } = box.current!.getBoundingClientRect();
    onShare(clamp((clientX - edge) / width));
  };
  return (
    <div className="split" ref={box} style={{ gridTemplateColumns: full ? "1fr" : `${share * 100}% 9px minmax(0, 1fr)` }}>
      {left}
      {full ? null : (
        <>
          {/* A border that can be moved is a separator with a value and the focus, which a rule (hr) is not. */}
          {/* eslint-disable-next-line jsx-a11y/prefer-tag-over-role */}
          <div className="split-bar" role="separator" aria-orientation="vertical" tabIndex={0} aria-label="Width of the table"
            aria-valuemin={20} aria-valuemax={75} aria-valuenow={Math.round(share * 100)}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(event.clientX)}
            onDoubleClick={() => onShare(AT_FIRST)}
            onKeyDown={(event) => {
              if (event.key === "ArrowLeft") onShare(clamp(share - 0.02));
              else if (event.key === "ArrowRight") onShare(clamp(share + 0.02));
            }} />
          {right}
        </>
      )}
    </div>
  );
}
