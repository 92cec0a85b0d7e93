// A logged table: sorted by any column, its first thousand rows, copied or saved as CSV.
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "../../api/client";
import { type BlobRef, type Typed, inWords, isNumeric, typedOf } from "../../api/typed";
import type { Json } from "../../api/types";
import { formatBytes, formatCount, formatMetric, formatValue, plural, toNumber } from "../../format";
import { addressOf, download } from "../../store/blobs";
import { readTable, sortRows, toCSV } from "../../store/tables";
import { Button, Failure, IconButton, Skeleton, copy } from "../basics";
import { SortButton } from "../SortButton";
import { Table, type TableColumn } from "../Table";
import { attempt } from "../Toast";
import { Picture } from "./Picture";

type TableValue = Extract<Typed, { kind: "table" }>;

const MOST_ROWS = 1000;
const MOST_BYTES = 20_000_000; // of a table that is read by itself
const ROW = 32;
const PICTURE_ROW = 76;

interface Loaded {
  columns: string[];
  rows: Json[][];
}

export function TableView({ run, name, table }: { run: string; name: string; table: TableValue }) {
  const { columns, rows, blob } = table;
  const held = useMemo(() => (rows === null ? null : { columns, rows }), [columns, rows]);
  if (held) return <Rows run={run} name={name} table={held} />;
  return blob === null ? null : <Stored key={blob.blob} run={run} name={name} blob={blob} columns={columns} />;
}

/** A table whose rows lie in a blob. */
function Stored({ run, name, blob, columns }: { run: string; name: string; blob: BlobRef; columns: string[] }) {
  const [wanted, setWanted] = useState(blob.size <= MOST_BYTES);
  const [loaded, setLoaded] = useState<Loaded | ApiError | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    readBlob(run, blob, columns).then((found) => current && setLoaded(found), (error: unknown) => {
      if (current) setLoaded(error instanceof ApiError ? error : new ApiError(0, "table", "The table cannot be read.", String(error)));
    });
    return () => {
      current = false;
    };
  }, [run, blob, columns, wanted]);
  if (loaded instanceof ApiError) return <Failure error={loaded} />;
  if (loaded) return <Rows run={run} name={name} table={loaded} />;
  if (wanted) return <Skeleton rows={5} label="Reading the table" />;
  return (
    <div className="media-ask">
      <p className="muted">The table is {formatBytes(blob.size)} large.</p>
      <Button onClick={() => setWanted(true)}>Show it</Button>
      <Button icon="download" onClick={() => void attempt(() => download(run, blob, `${name}.json`))}>Download</Button>
    </div>
  );
}

async function readBlob(run: string, blob: BlobRef, columns: string[]): Promise<Loaded> {
  const response = await fetch(await addressOf(run, blob), { credentials: "omit" });
  if (!response.ok) throw new ApiError(response.status, "table", `The server answered with status ${response.status}.`);
  return readTable(await response.text(), columns);
}

function Rows({ run, name, table }: { run: string; name: string; table: Loaded }) {
  const [sort, setSort] = useState<{ by: string; descending: boolean } | null>(null);
  const { columns, rows } = table;
  const sorted = useMemo(() => (sort === null ? rows : sortRows(rows, Number(sort.by), sort.descending)), [rows, sort]);
  const shown = useMemo(() => sorted.slice(0, MOST_ROWS).map((cells, i) => ({ id: String(i), cells })), [sorted]);
  const pictures = useMemo(() => rows.slice(0, 20).some((row) => row.some((cell) => typedOf(cell)?.kind === "image")), [rows]);
  const made = useMemo(() => columns.map((title, i): TableColumn<{ id: string; cells: Json[] }> => {
    const longest = rows.slice(0, 60).reduce((most, row) => Math.max(most, cellText(row[i]).length), title.length + 2);
    const numeric = rows.slice(0, 60).every((row) => row[i] == null || isNumeric(row[i]));
    const by = String(i);
    return {
      id: by, width: Math.min(340, Math.max(72, longest * 7.4 + 26)), align: numeric ? "right" : "left",
      sorted: sort?.by !== by ? "none" : sort.descending ? "descending" : "ascending",
      head: <SortButton title={title} by={by} sort={sort} onSort={() => setSort({ by, descending: sort?.by === by && !sort.descending })} />,
      cell: ({ cells }) => <Cell run={run} value={cells[i]} />,
    };
  }), [run, columns, rows, sort]);
  const height = pictures ? PICTURE_ROW : ROW;
  if (rows.length === 0) return <p className="media-facts muted">The table has no rows.</p>;
  return (
    <>
      <div className="media-table" style={{ height: Math.min(420, 46 + shown.length * height + 14) }}>
        <Table label={`Rows of ${name}`} rows={shown} columns={made} keyOf={({ id }) => id} rowHeight={height} />
      </div>
      <p className="media-facts muted small">
        {rows.length > MOST_ROWS ? `the first ${formatCount(MOST_ROWS)} of ` : ""}{plural(rows.length, "row")}, {plural(columns.length, "column")}
        <IconButton icon="copy" label="Copy the table as CSV" className="small" onClick={() => void copy(toCSV(columns, sorted))} />
      </p>
    </>
  );
}

function cellText(value: Json | undefined): string {
  if (value == null) return "";
  if (isNumeric(value)) return formatMetric(toNumber(value));
  const typed = typeof value === "object" ? typedOf(value) : null;
  return typed ? inWords(typed) : formatValue(value);
}

function Cell({ run, value }: { run: string; value: Json | undefined }) {
  const typed = value !== null && typeof value === "object" ? typedOf(value) : null;
  if (typed?.kind === "image") return <Picture run={run} file={typed.files[0]!} className="cell-picture" />;
  const text = cellText(value);
  return text === "" ? <span className="faint">–</span> : <span title={text}>{text}</span>;
}
