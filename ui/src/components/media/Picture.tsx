// A logged image, fetched when it comes near the screen.
import { useRef } from "react";
import type { BlobRef } from "../../api/typed";
import { useAddress } from "../../store/blobs";
import { useNear } from "../basics";

const COARSE = 96; // pixels below which an image is enlarged as squares, not blurred

export function Picture({ run, file, className = "" }: { run: string; file: BlobRef; className?: string }) {
  const box = useRef<HTMLSpanElement>(null);
  const near = useNear(box);
  const { url, error, failed } = useAddress(run, file, near);
  const { width, height, caption, name } = file;
  const words = caption ?? name ?? "logged image";
  const coarse = width !== null && height !== null && Math.max(width, height) <= COARSE ? " coarse" : "";
  return (
    <span ref={box} className={`picture ${className}${coarse}`}
      style={width !== null && height !== null ? { aspectRatio: `${width} / ${height}` } : undefined}>
      {error ? <span className="picture-error" title={[error.message, error.hint].filter(Boolean).join(" ")}>cannot be shown</span>
        : url ? <img src={url} alt={words} width={width ?? undefined} height={height ?? undefined} decoding="async" onError={failed} /> : null}
    </span>
  );
}
