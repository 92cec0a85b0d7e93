"""Rows that were read, and the same as columns."""

from __future__ import annotations

from typing import Any


class History(list[dict[str, Any]]):
    """Rows as dictionaries, in the order of their arrival."""

    @property
    def names(self) -> list[str]:
        """All names, in the order of their first appearance."""
        return list(dict.fromkeys(name for row in self for name in row))

    def to_numpy(self) -> dict[str, Any]:
        """Columns by name: doubles, with NaN where a row has no value; `_step` as integers; objects (None where a row
        has none) where values are no numbers."""
        import numpy

        columns = {}
        for name in self.names:
            values = [row.get(name) for row in self]
            if name == "_step":
                columns[name] = numpy.array(values, dtype=numpy.int64)
            elif all(value is None or type(value) in (float, int) for value in values):
                columns[name] = numpy.array([float("nan") if v is None else v for v in values], dtype=numpy.float64)
            else:
                column = numpy.empty(len(values), dtype=object)
                column[:] = values
                columns[name] = column
        return columns

    def to_pandas(self) -> Any:
        """A data frame with a row a row."""
        import pandas

        return pandas.DataFrame.from_records(self, columns=self.names)
