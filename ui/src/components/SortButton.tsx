// The head of a column by which a table can be sorted.
import { Icon } from "./Icon";

interface Props {
  title: string;
  by: string;
  sort: { by: string; descending: boolean } | null;
  onSort: (by: string) => void;
}

export function SortButton({ title, by, sort, onSort }: Props) {
  return (
    <button type="button" className="sort" title={`Sort by ${title}`} onClick={() => onSort(by)}>
      <span>{title}</span>
      {sort?.by === by
        ? <span className={sort.descending ? "arrow" : "arrow up"}><Icon name="chevron" size={12} /></span> : null}
    </button>
  );
}
