// Logged images, recordings, videos, pages and files: shown where the browser can, else offered to save.
import { useRef, useState } from "react";
import type { BlobRef, FileKind } from "../../api/typed";
import { formatBytes, formatDuration } from "../../format";
import { download, useAddress } from "../../store/blobs";
import { Button, IconButton, useNear } from "../basics";
import { Icon } from "../Icon";
import { attempt } from "../Toast";
import { ImageDialog } from "./ImageDialog";
import { Picture } from "./Picture";

interface Props {
  run: string;
  name: string;
  kind: FileKind;
  files: readonly BlobRef[];
  /** Where the files were logged, in words. */
  where: string;
}

const ENDINGS: Record<FileKind, string> = { image: "png", audio: "wav", video: "mp4", html: "html", file: "bin" };

export function FilesView({ run, name, kind, files, where }: Props) {
  const [open, setOpen] = useState<number | null>(null);
  if (kind === "image") {
    return (
      <>
        <ul className={files.length === 1 ? "pictures one" : "pictures"}>
          {files.map((file, i) => (
            // eslint-disable-next-line react/no-array-index-key -- the same image may stand twice; its place is what it is
            <li key={i}>
              <button type="button" className="picture-button" onClick={() => setOpen(i)} aria-label={`Enlarge ${file.caption ?? `image ${i + 1} of ${name}`}`}>
                <Picture run={run} file={file} />
              </button>
              {file.caption ? <p className="caption small" title={file.caption}>{file.caption}</p> : null}
            </li>
          ))}
        </ul>
        {open === null ? null : (
          <ImageDialog run={run} title={`${name}, ${where}`} files={files} at={Math.min(open, files.length - 1)}
            onAt={setOpen} onClose={() => setOpen(null)} onSave={(file) => save(run, file, name, kind)} />
        )}
      </>
    );
  }
  return (
    <ul className="players">
      {files.map((file, i) => (
        // eslint-disable-next-line react/no-array-index-key -- as above
        <li key={i}>
          {kind === "file" ? null : <Player run={run} name={name} kind={kind} file={file} />}
          <p className="file-line">
            {kind === "file" ? <Icon name="file" size={18} /> : null}
            <span className="grow">
              <span className="file-name">{file.caption ?? file.name ?? name}</span>{" "}
              <span className="muted small">{facts(file)}</span>
            </span>
            {kind === "file"
              ? <Button icon="download" onClick={() => save(run, file, name, kind)}>Download</Button>
              : <IconButton icon="download" label={`Download ${file.name ?? name}`} className="small" onClick={() => save(run, file, name, kind)} />}
          </p>
        </li>
      ))}
    </ul>
  );
}

function save(run: string, file: BlobRef, name: string, kind: FileKind): void {
  void attempt(() => download(run, file, `${name.replaceAll("/", "-")}.${ENDINGS[kind]}`));
}

function facts({ size, mediaType, duration, width, height }: BlobRef): string {
  return [
    duration === null ? null : formatDuration(duration * 1e6), width !== null && height !== null ? `${width} × ${height}` : null,
    mediaType, formatBytes(size),
  ].filter(Boolean).join(", ");
}

function Player({ run, name, kind, file }: { run: string; name: string; kind: FileKind; file: BlobRef }) {
  const box = useRef<HTMLDivElement>(null);
  const near = useNear(box);
  const { url, error, failed } = useAddress(run, file, near);
  const label = file.caption ?? file.name ?? name;
  return (
    <div ref={box} className={error ? "player" : `player ${kind}`}
      style={kind === "video" && !error && file.width !== null && file.height !== null ? { aspectRatio: `${file.width} / ${file.height}` } : undefined}>
      {error ? <p className="muted">{error.message} {error.hint}</p> : url === null ? null : show(kind, url, label, failed)}
    </div>
  );
}

function show(kind: FileKind, url: string, label: string, failed: () => void): JSX.Element {
  switch (kind) {
    // What was logged has no captions that a track could show.
    // eslint-disable-next-line jsx-a11y/media-has-caption
    case "audio": return <audio key={url} controls preload="metadata" src={url} aria-label={label} onError={failed} />;
    // eslint-disable-next-line jsx-a11y/media-has-caption
    case "video": return <video key={url} controls playsInline preload="metadata" src={url} aria-label={label} onError={failed} />;
    // A page somebody logged: nothing of ours is within its reach, and scripts do not run.
    default: return <iframe key={url} title={label} src={url} sandbox="" loading="lazy" referrerPolicy="no-referrer" />;
  }
}
