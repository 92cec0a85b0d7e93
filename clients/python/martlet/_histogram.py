"""How values are spread: counts between edges."""

from __future__ import annotations

import sys
from bisect import bisect_right
from typing import Any, Optional

from martlet._arrays import lists_of, numbers_of, numpy_of
from martlet._typed import Blobs, Typed
from martlet._values import Unloggable

BINS = 64
MOST_BINS = 4096
MOST_LISTED = 10_000_000  # values that are given without NumPy


class Histogram(Typed):
    """Of `values` (an array or tensor of any shape, lists, any iterable of numbers), in `bins` bins of equal width
    between the smallest and the largest; or of `counts` between `edges`, of which there is one more.

    NaN and infinities are counted nowhere.
    """

    def __init__(
        self,
        values: Any = None,
        bins: int = BINS,
        *,
        counts: Any = None,
        edges: Any = None,
        caption: Optional[str] = None,
    ) -> None:
        self._values = values
        self._bins = bins
        self._counts = counts
        self._edges = edges
        self._caption = caption

    def encode(self, blobs: Blobs) -> dict[str, Any]:  # noqa: ARG002 (it is small)
        if self._counts is not None or self._edges is not None:
            edges, counts = self._given()
        elif self._values is None:
            raise Unloggable("Histogram takes values, or counts and edges")
        elif type(self._bins) is not int or not 1 <= self._bins <= MOST_BINS:
            raise Unloggable(f"a histogram has 1 to {MOST_BINS} bins, not {self._bins!r}")
        else:
            array = numpy_of(self._values)
            edges, counts = self._of_array(array) if array is not None else self._of_numbers()
        caption = {} if self._caption is None else {"caption": str(self._caption)}
        return {"_type": "histogram", "edges": edges, "counts": counts, **caption}

    def _given(self) -> tuple[list[float], list[float]]:
        counts = numbers_of(_listed(self._counts), MOST_BINS)
        edges = numbers_of(_listed(self._edges), MOST_BINS + 1)
        if counts is None or edges is None:
            raise Unloggable(f"a histogram has at most {MOST_BINS} bins")
        if not counts or len(edges) != len(counts) + 1:
            raise Unloggable(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
        if any(not low < high for low, high in zip(edges, edges[1:])) or any(not count >= 0 for count in counts):
            raise Unloggable("a histogram's edges ascend, and its counts are not negative")
        return edges, [_whole(count) for count in counts]

    def _of_array(self, array: Any) -> tuple[list[float], list[float]]:
        numpy = sys.modules["numpy"]
        if array.dtype.kind not in "biuf":
            raise Unloggable(f"an array of {array.dtype} has no histogram")
        flat = array.reshape(-1)
        if flat.dtype.kind == "f":
            flat = flat[numpy.isfinite(flat)]
        if flat.size == 0:
            raise Unloggable("a histogram of no finite values")
        low, high = _span(float(flat.min()), float(flat.max()))
        if flat.dtype.kind != "f" or flat.dtype.itemsize < 4:
            flat = flat.astype("f8")  # bool, and what would overflow
        counts, _ = numpy.histogram(flat, self._bins, (low, high))
        return _edges(low, high, self._bins), counts.tolist()

    def _of_numbers(self) -> tuple[list[float], list[float]]:
        values = numbers_of(_listed(self._values), MOST_LISTED)
        if values is None:
            raise Unloggable(f"a histogram of more than {MOST_LISTED:,} values wants a NumPy array")
        infinity = float("inf")
        values = [value for value in values if -infinity < value < infinity]
        if not values:
            raise Unloggable("a histogram of no finite values")
        edges = _edges(*_span(min(values), max(values)), self._bins)
        counts = [0] * self._bins
        last = self._bins - 1
        for value in values:
            counts[min(last, max(0, bisect_right(edges, value) - 1))] += 1
        return edges, list(counts)


def _listed(values: Any) -> Any:
    array = numpy_of(values)
    return lists_of(values if array is None else array.reshape(-1))


def _span(low: float, high: float) -> tuple[float, float]:
    """One value alone gets a bin around it, as wide as NumPy makes it."""
    if low == high:
        wide = max(0.5, abs(low) * 1e-9)
        return low - wide, high + wide
    return low, high


def _edges(low: float, high: float, bins: int) -> list[float]:
    """Each taken from both ends, so that nothing overflows between -1e308 and 1e308."""
    return [low * (1 - i / bins) + high * (i / bins) for i in range(bins)] + [high]


def _whole(count: float) -> float:
    return int(count) if count.is_integer() else count
