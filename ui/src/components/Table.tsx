// A table of any length: only the rows in sight exist. It stays a real table, so screen readers know rows and columns.
import {
  type CSSProperties, type ReactNode, memo, useEffect, useLayoutEffect, useRef, useState,
} from "react";

export interface TableColumn<Row> {
  id: string;
  head: ReactNode;
  width: number;
  align?: "left" | "right";
  /** Stays at the left edge when the table scrolls sideways. */
  frozen?: boolean;
  sorted?: "ascending" | "descending" | "none";
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly TableColumn<Row>[];
  keyOf: (row: Row) => string;
  rowHeight: number;
  /** The key of the row that the keys j and k move; it is kept in sight. */
  active?: string | null;
  /** What a row's look depends on besides the row itself, so that rows that did not change are not made again. */
  stamp?: (row: Row) => unknown;
  onOpen?: (row: Row) => void;
  onHover?: (row: Row | null) => void;
  dimmed?: (row: Row) => boolean;
  /** The last rows are near: more can be read. */
  onEnd?: () => void;
  /** What is shown answers an older question: it stays, dimmed, until the new answer comes. */
  stale?: boolean;
}

const SPARE = 8; // rows beyond the edges, so that a quick scroll shows no blanks

export function Table<Row>(props: Props<Row>) {
  const { rows, columns, keyOf, rowHeight, active } = props;
  const box = useRef<HTMLElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setView((before) => {
      // Whole rows only: scrolling inside one row changes nothing.
      const top = Math.floor(element.scrollTop / rowHeight) * rowHeight;
      const height = element.clientHeight;
      return before.top === top && before.height === height ? before : { top, height };
    });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [rowHeight]);

  // Pointing and double clicks are short cuts only: the keys j, k and Enter and the links in the rows do the same.
  const heard = useRef(props);
  useEffect(() => {
    heard.current = props;
  });
  useEffect(() => {
    const element = box.current!;
    const rowAt = (event: Event) => {
      const key = (event.target as Element).closest("tr")?.dataset["row"];
      return key === undefined ? null : heard.current.rows.find((row) => heard.current.keyOf(row) === key) ?? null;
    };
    const hover = (event: Event) => heard.current.onHover?.(rowAt(event));
    const leave = () => heard.current.onHover?.(null);
    const open = (event: Event) => {
      const row = rowAt(event);
      if (row !== null) heard.current.onOpen?.(row);
    };
    element.addEventListener("mouseover", hover);
    element.addEventListener("mouseleave", leave);
    element.addEventListener("dblclick", open);
    return () => {
      element.removeEventListener("mouseover", hover);
      element.removeEventListener("mouseleave", leave);
      element.removeEventListener("dblclick", open);
    };
  }, []);

  const activeIndex = active == null ? -1 : rows.findIndex((row) => keyOf(row) === active);
  useEffect(() => {
    const element = box.current;
    if (activeIndex < 0 || !element) return;
    const head = element.querySelector("thead")?.clientHeight ?? 0;
    const top = activeIndex * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    const room = element.clientHeight - head - rowHeight;
    if (top > element.scrollTop + room) element.scrollTop = top - room;
  }, [active, activeIndex, rowHeight]);

  const from = Math.max(0, Math.floor(view.top / rowHeight) - SPARE);
  const to = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE);
  const atEnd = to >= rows.length - 40;
  const { onEnd } = props;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd, rows.length]);
  const lefts = frozenLefts(columns);
  const layout = columns.map(({ id, width }) => `${id}${width}`).join();
  return (
    // What scrolls must be reachable by keys.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className={props.stale ? "table-box stale" : "table-box"} ref={box} tabIndex={0} aria-label={props.label} aria-busy={props.stale}>
      <table className="table" aria-rowcount={rows.length + 1}
        style={{ width: columns.reduce((sum, { width }) => sum + width, 0) }}>
        <colgroup>{columns.map(({ id, width }) => <col key={id} style={{ width }} />)}</colgroup>
        <thead>
          <tr>
            {columns.map((column, i) => (
              <th key={column.id} scope="col" aria-sort={column.sorted} className={cellClass(column)}
                style={frozenStyle(lefts[i])}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 ? <Spacer height={from * rowHeight} span={columns.length} /> : null}
          {rows.slice(from, to).map((row, i) => {
            const key = keyOf(row);
            return (
              <TableRow key={key} id={key} row={row} index={from + i} columns={columns as readonly TableColumn<unknown>[]}
                layout={layout} lefts={lefts} height={rowHeight} active={key === active}
                dimmed={props.dimmed?.(row) ?? false} stamp={props.stamp?.(row)}
                />
            );
          })}
          {to < rows.length
            ? <Spacer height={(rows.length - to) * rowHeight} span={columns.length} /> : null}
        </tbody>
      </table>
    </section>
  );
}

/** Stands for the rows that are out of sight. */
function Spacer({ height, span }: { height: number; span: number }) {
  return <tr aria-hidden="true" style={{ height }}><td colSpan={span}>{"\u00a0"}</td></tr>;
}

interface RowProps {
  id: string;
  row: unknown;
  index: number;
  columns: readonly TableColumn<unknown>[];
  layout: string;
  lefts: (number | null)[];
  height: number;
  active: boolean;
  dimmed: boolean;
  stamp: unknown;
}

const TableRow = memo(function TableRow(props: RowProps) {
  const { row, columns, lefts, height } = props;
  const name = [props.active ? "active" : "", props.dimmed ? "dimmed" : ""].join(" ").trim();
  return (
    <tr data-row={props.id} className={name || undefined} style={{ height }} aria-rowindex={props.index + 2}>
      {columns.map((column, i) => (
        <td key={column.id} className={cellClass(column)} style={frozenStyle(lefts[i])}>{column.cell(row)}</td>
      ))}
    </tr>
  );
}, (before, after) =>
  before.row === after.row && before.index === after.index && before.layout === after.layout &&
  before.active === after.active && before.dimmed === after.dimmed && before.stamp === after.stamp &&
  before.height === after.height);

function cellClass<Row>(column: TableColumn<Row>): string | undefined {
  return [column.align === "right" ? "right" : "", column.frozen ? "frozen" : ""].join(" ").trim() || undefined;
}

function frozenLefts<Row>(columns: readonly TableColumn<Row>[]): (number | null)[] {
  let left = 0;
  return columns.map((column) => {
    if (!column.frozen) return null;
    left += column.width;
    return left - column.width;
  });
}

function frozenStyle(left: number | null | undefined): CSSProperties | undefined {
  return left == null ? undefined : { left };
}
