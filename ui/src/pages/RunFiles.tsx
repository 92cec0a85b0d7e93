// The files that were saved with a run, each with a look into it.
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../api/client";
import { tracking } from "../api/tracking";
import type { BlobRef } from "../api/typed";
import type { Run, RunFile } from "../api/types";
import { Ago, Button, CopyButton, Empty, Failure, IconButton, Scrolled, Skeleton } from "../components/basics";
import { Icon } from "../components/Icon";
import { PatchView } from "../components/PatchView";
import { attempt } from "../components/Toast";
import { formatBytes, formatCount, plural } from "../format";
import { useKeys } from "../keys";
import { place, setQuery } from "../router";
import { addressOf, download, useAddress } from "../store/blobs";
import { byName } from "../store/columns";
import { readCSV } from "../store/csv";
import { prettyJSON } from "../store/json";
import { useOften, useOnce } from "../store/once";
import { hasEnded } from "../store/runs";
import { useStore } from "../store/store";

const MOST_TEXT = 2_000_000; // bytes of a text that is shown
const MOST_ROWS = 500;
const MOST_COLUMNS = 100;

export function RunFiles({ run }: { run: Run }) {
  const { query } = useStore(place);
  const [search, setSearch] = useState("");
  const { value, error, again } = useOnce((signal) => tracking.files(run.id, signal), `${run.id} ${run.state}`);
  useOften(again, !hasEnded(run.state));
  const all = useMemo(() => [...(value?.items ?? [])].sort((a, b) => byName(a.path, b.path)), [value]);
  const found = all.filter(({ path }) => path.toLowerCase().includes(search.toLowerCase()));
  const wanted = query.get("file");
  const asked = wanted === null ? null : all.find(({ path }) => path === wanted) ?? null;
  const missing = wanted !== null && asked === null ? wanted : null;
  const shown = asked ?? (missing === null ? found[0] ?? null : null);
  const choose = (path: string) => setQuery({ file: path });
  const list = useRef<HTMLUListElement>(null);
  const path = shown?.path ?? null;
  useEffect(() => {
    list.current?.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  }, [path]);
  const step = (by: number) => {
    const next = found[found.findIndex((file) => file === shown) + by];
    if (next) choose(next.path);
  };
  useKeys([
    { key: "j", does: "next file", run: () => step(1) },
    { key: "k", does: "previous file", run: () => step(-1) },
  ]);
  if (value === null) return error ? <Failure error={error} retry={again} /> : <Skeleton rows={6} label="Reading the files" />;
  if (all.length === 0) {
    return (
      <Empty icon="file" title="No files were saved">
        <p>What <code>run.save(&quot;model.pt&quot;)</code> saves shows here, with the patch of uncommitted changes and the installed packages.</p>
      </Empty>
    );
  }
  const size = all.reduce((sum, file) => sum + file.size, 0);
  return (
    <div className="files">
      <section className="card files-list" aria-label="Files">
        {all.length > 8 ? (
          <input type="search" className="field" aria-label="Find a file" placeholder="Find a file" value={search}
            onChange={(event) => setSearch(event.target.value)} />
        ) : null}
        <ul ref={list}>
          {found.map((file) => (
            <li key={file.path}>
              <button type="button" className="file-choice" aria-current={file === shown} onClick={() => choose(file.path)}>
                <Icon name="file" size={14} /><span className="grow clip clip-start" title={file.path}><bdi>{file.path}</bdi></span>
                <span className="muted small">{formatBytes(file.size)}</span>
              </button>
            </li>
          ))}
        </ul>
        {found.length === 0 ? <p className="muted">No file of that name.</p> : null}
        <p className="muted small files-sum">{plural(all.length, "file")}, {formatBytes(size)}{value.next === null ? "" : ", the first ones"}</p>
      </section>
      {missing === null ? null : (
        <section className="card" aria-label={missing}>
          <p><code className="clip-all">{missing}</code> is not among the files of this run{value.next === null ? "" : " that are listed here"}.</p>
        </section>
      )}
      {shown ? <File key={`${shown.path}${shown.sha256}`} run={run.id} file={shown} /> : null}
    </div>
  );
}

type Look = "patch" | "json" | "csv" | "image" | "text" | "none";

/** How a file is shown: by its name's ending first, since that is what its author meant. */
export function lookOf({ path, media_type, size }: RunFile): Look {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const type = media_type ?? "";
  if (["patch", "diff"].includes(ending)) return "patch";
  if (["png", "jpg", "jpeg", "gif", "webp", "bmp", "avif"].includes(ending) || /^image\/(png|jpe?g|gif|webp|bmp|avif)/.test(type)) return "image";
  if (["json", "ipynb"].includes(ending) || type === "application/json") return "json";
  if (["csv", "tsv"].includes(ending) || type === "text/csv") return "csv";
  const plain = /^(txt|md|rst|py|js|ts|swift|c|h|cc|cpp|cu|rs|go|java|sh|yaml|yml|toml|ini|cfg|conf|log|jsonl|xml|html|css|sql|r|jl|lock|env)$/;
  if (plain.test(ending) || type.startsWith("text/")) return "text";
  return (ending === "" && size < 100_000) ? "text" : "none";
}

function File({ run, file }: { run: string; file: RunFile }) {
  const look = lookOf(file);
  const ref = useMemo((): BlobRef => ({
    blob: file.sha256, size: file.size, mediaType: file.media_type ?? "application/octet-stream", name: file.path.split("/").pop() ?? null,
    caption: null, width: null, height: null, duration: null,
  }), [file]);
  return (
    <section className="card file-view" aria-label={file.path}>
      <header className="card-head">
        <h2 className="clip" title={file.path}>{file.path}</h2>
        <span className="muted small">{formatBytes(file.size)}, <Ago at={file.created_at} /></span>
        <IconButton icon="download" label={`Download ${file.path}`} onClick={() => void attempt(() => download(run, ref, ref.name ?? "file"))} />
      </header>
      {look === "image" ? <Picture run={run} file={ref} name={file.path} /> : look === "none" ? (
        <p className="muted">This kind of file is not shown here. It can be downloaded.</p>
      ) : <Text run={run} file={ref} look={look} />}
      <p className="muted small">SHA-256 <code className="clip-all">{file.sha256}</code><CopyButton text={file.sha256} label="Copy the hash" /></p>
    </section>
  );
}

function Picture({ run, file, name }: { run: string; file: BlobRef; name: string }) {
  const { url, error, failed } = useAddress(run, file);
  if (error) return <Failure error={error} />;
  return url === null ? <Skeleton rows={4} /> : <img className="file-picture" src={url} alt={name} onError={failed} />;
}

function Text({ run, file, look }: { run: string; file: BlobRef; look: Exclude<Look, "image" | "none"> }) {
  const [wanted, setWanted] = useState(file.size <= MOST_TEXT);
  const { value, error, again } = useOnce((signal) => (wanted ? read(run, file, signal) : Promise.resolve(null)), `${file.blob} ${wanted}`);
  if (error) return <Failure error={error} retry={again} />;
  if (!wanted) {
    return <p className="media-ask"><span className="muted">It is {formatBytes(file.size)} large.</span><Button onClick={() => setWanted(true)}>Show its beginning</Button></p>;
  }
  if (value === null) return <Skeleton rows={6} label="Reading the file" />;
  return (
    <>
      <Shown text={value.text} look={look} />
      {value.cut ? <p className="muted small">The first {formatBytes(MOST_TEXT)}. Download the file for all of it.</p> : null}
    </>
  );
}

async function read(run: string, file: BlobRef, signal: AbortSignal): Promise<{ text: string; cut: boolean }> {
  const cut = file.size > MOST_TEXT;
  const response = await fetch(await addressOf(run, file), {
    credentials: "omit", signal, ...(cut ? { headers: { Range: `bytes=0-${MOST_TEXT - 1}` } } : {}),
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new ApiError(0, "unreachable", "The file could not be read.", String(error));
  });
  if (!response.ok) throw new ApiError(response.status, "file", `The server answered with status ${response.status}.`);
  return { text: (await response.text()).slice(0, MOST_TEXT), cut };
}

function Shown({ text, look }: { text: string; look: Exclude<Look, "image" | "none"> }) {
  if (look === "patch") return <PatchView text={text} />;
  if (look === "csv") return <Csv text={text} />;
  return <Plain text={look === "json" ? prettyJSON(text) : text} />;
}

function Plain({ text }: { text: string }) {
  if (text === "") return <p className="muted">The file is empty.</p>;
  return (
    <Scrolled label="Text" className="file-text"><pre><code>{text}</code></pre></Scrolled>
  );
}

function Csv({ text }: { text: string }) {
  const { columns: all, rows, more } = useMemo(() => readCSV(text, MOST_ROWS), [text]);
  const columns = all.slice(0, MOST_COLUMNS);
  if (columns.length === 0) return <p className="muted">The table is empty.</p>;
  return (
    <>
      <Scrolled label="Table" className="scroll-both">
        <table className="plain csv">
          <thead><tr>{columns.map((name, i) => <th key={i} scope="col">{name}</th>)}</tr></thead>
          <tbody>{rows.map((row, i) => <tr key={i}>{columns.map((_, j) => <td key={j}>{row[j] ?? ""}</td>)}</tr>)}</tbody>
        </table>
      </Scrolled>
      <p className="muted small">{more ? `The first ${formatCount(rows.length)} rows` : plural(rows.length, "row")}, {all.length > columns.length ? `the first ${formatCount(columns.length)} of ` : ""}{plural(all.length, "column")}</p>
    </>
  );
}
