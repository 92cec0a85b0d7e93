"""The hypervolume of two objectives, point by point."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence


def history(points: Iterable[Sequence[float]], reference: tuple[float, float]) -> Iterator[float]:
    """The area that the points so far dominate, up to the reference point, after each of them."""
    front: list[tuple[float, float]] = []  # by the first objective ascending, so by the second descending
    area = 0.0
    for first, second in points:
        if first < reference[0] and second < reference[1]:
            place = bisect_left(front, (first, second))
            is_dominated = place > 0 and front[place - 1][1] <= second
            if not is_dominated and not (place < len(front) and front[place] == (first, second)):
                front[:] = [*front[:place], (first, second), *[item for item in front[place:] if item[1] < second]]
                area = _area(front, reference)
        yield area


def _area(front: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    area, ceiling = 0.0, reference[1]
    for first, second in front:
        area += (reference[0] - first) * (ceiling - second)
        ceiling = second
    return area
