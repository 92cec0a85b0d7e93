// An image as large as the window allows, or pixel by pixel; the arrows go through the images of its step.
import { useEffect, useRef, useState } from "react";
import type { BlobRef } from "../../api/typed";
import { formatBytes, formatNumber } from "../../format";
import { useAddress } from "../../store/blobs";
import { Button, IconButton } from "../basics";
import { Dialog } from "../Dialog";

interface Props {
  run: string;
  title: string;
  files: readonly BlobRef[];
  at: number;
  onAt: (at: number) => void;
  onClose: () => void;
  onSave: (file: BlobRef) => void;
}

const SCALES = [0.25, 0.5, 1, 2, 4, 8, 16, 32];

export function ImageDialog({ run, title, files, at, onAt, onClose, onSave }: Props) {
  const file = files[at]!;
  const { url, error, failed } = useAddress(run, file);
  /** Pixels of the screen a pixel of the image; null: as large as fits. */
  const [scale, setScale] = useState<number | null>(null);
  const [natural, setNatural] = useState<{ width: number; height: number } | null>(null);
  const box = useRef<HTMLElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const by = (direction: 1 | -1) => {
    const shown = image.current;
    const fitting = shown && natural ? Math.min(shown.clientWidth / natural.width, shown.clientHeight / natural.height) : 1;
    const now = scale ?? fitting;
    const next = direction > 0 ? SCALES.find((each) => each > now * 1.01) : [...SCALES].reverse().find((each) => each < now * 0.99);
    if (next !== undefined) setScale(next);
  };
  const go = (to: number) => onAt((to + files.length) % files.length);
  const keys: Record<string, () => void> = {
    ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1), "+": () => by(1), "=": () => by(1), "-": () => by(-1), "0": () => setScale(null),
  };
  const heard = useRef(keys);
  useEffect(() => {
    heard.current = keys;
  });
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const run = heard.current[event.key];
      // Arrows scroll an enlarged image as long as the focus is in it.
      if (!run || event.ctrlKey || event.metaKey || (event.key.startsWith("Arrow") && event.target === box.current)) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const size = scale === null || natural === null ? undefined
    : { width: natural.width * scale, height: natural.height * scale, maxWidth: "none", maxHeight: "none" };
  return (
    <Dialog title={title} wide onClose={onClose}>
      <div className="image-tools">
        {files.length > 1 ? (
          <>
            <IconButton icon="left" label="The image before" onClick={() => go(at - 1)} />
            <span className="muted small">{at + 1} of {files.length}</span>
            <IconButton icon="right" label="The next image" onClick={() => go(at + 1)} />
          </>
        ) : null}
        <span className="grow" />
        <IconButton icon="minus" label="Smaller" onClick={() => by(-1)} />
        <output className="small scale-word">{scale === null ? "fits" : `${formatNumber(scale * 100)} %`}</output>
        <IconButton icon="plus" label="Larger" onClick={() => by(1)} />
        <Button onClick={() => setScale(null)} disabled={scale === null}>Fit</Button>
        <IconButton icon="download" label="Download the image" onClick={() => onSave(file)} />
      </div>
      {/* An enlarged image scrolls: what scrolls must be reachable by keys. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className={scale === null ? "image-stage" : "image-stage scaled"} ref={box} tabIndex={0} aria-label="The image">
        {error ? <p>{error.message} {error.hint}</p> : url === null ? null : (
          <img ref={image} src={url} alt={file.caption ?? file.name ?? title} style={size} onError={failed}
            className={(scale ?? 0) > 1 || Math.max(natural?.width ?? 999, natural?.height ?? 999) <= 96 ? "coarse" : undefined}
            onLoad={(event) => setNatural({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })} />
        )}
      </section>
      <p className="caption">
        {file.caption ? <span>{file.caption} </span> : null}
        <span className="muted small">
          {natural ? `${natural.width} × ${natural.height}, ` : ""}{file.mediaType}, {formatBytes(file.size)}
        </span>
      </p>
    </Dialog>
  );
}
