"""Rows and columns as one value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Optional

from martlet import _values
from martlet._typed import Blobs, Typed, encoded
from martlet._values import Unloggable

INLINE = 16 << 10  # bytes of JSON; a larger table is a blob
MOST_CELLS = 2_000_000


class Table(Typed):
    """A table: `columns`, and `data` as rows (lists, or dictionaries by column), or a pandas or Polars data frame.

    Cells are what can be logged: numbers, text, lists, pictures. It is read when it is logged.
    """

    def __init__(self, columns: Any = None, data: Any = None, *, caption: Optional[str] = None) -> None:
        self._columns = columns
        self._data = data
        self._added: list[Any] = []
        self._caption = caption

    def add(self, *row: Any) -> None:
        """Adds a row: a cell for each column, or one dictionary."""
        self._added.append(row[0] if len(row) == 1 and isinstance(row[0], Mapping) else row)

    def encode(self, blobs: Blobs) -> dict[str, Any]:
        columns, given = self._read()
        rows = [self._row(number, row, columns) for number, row in enumerate([*given, *self._added], 1)]
        if len(rows) * len(columns) > MOST_CELLS:
            raise Unloggable(f"a table of more than {MOST_CELLS:,} cells is too large to log")
        names = [_values.plain(str(name)) for name in columns]
        budget = [MOST_CELLS * 10]
        cells = [[_values.within(encoded(cell, blobs), budget) for cell in row] for row in rows]
        caption = {} if self._caption is None else {"caption": str(self._caption)}
        head = {"_type": "table", "columns": names, **caption}
        small = json.dumps(cells) if len(cells) * len(names) <= INLINE else None
        if small is not None and len(small) <= INLINE:
            return {**head, "rows": cells}
        content = json.dumps({"columns": names, "rows": _without_nan(cells)}, allow_nan=False).encode()
        kept = blobs.keep((content,), len(content))
        return {**head, **kept, "media_type": "application/json", "rows": len(cells)}

    def _read(self) -> tuple[list[str], list[Any]]:
        data, columns = self._data, self._columns
        if data is None and hasattr(columns, "columns"):  # Table(frame)
            data, columns = columns, None
        if columns is not None:
            columns = self._columns = list(columns)
        if hasattr(data, "columns"):
            names = [str(name) for name in data.columns]
            rows = data.itertuples(index=False, name=None) if hasattr(data, "itertuples") else data.rows()
            return columns or names, list(rows)
        rows = [] if data is None else list(data)
        if columns is None:
            records = [row for row in [*rows, *self._added] if isinstance(row, Mapping)]
            columns = list(dict.fromkeys(name for row in records for name in row))
            if not columns:
                raise Unloggable("a table needs the names of its columns")
        return columns, rows

    def _row(self, number: int, row: Any, columns: list[str]) -> list[Any]:
        if isinstance(row, Mapping):
            return [row.get(name) for name in columns]
        cells = list(row.tolist()) if hasattr(row, "tolist") else list(row)
        if len(cells) != len(columns):
            raise Unloggable(f"row {number} of the table has {len(cells)} cells for {len(columns)} columns")
        return cells


def _without_nan(value: Any) -> Any:
    """What JSON's numbers cannot say, as the text that the server writes for it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return value
