"""Series as the server sends them to programs: a plain binary frame (docs/api.md), whose arrays are read in place."""

from __future__ import annotations

import array
import json
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Optional

MAGIC = b"MARTLETS"
HEAD = struct.Struct("<8sII")  # magic, version, bytes of the JSON header
TYPES: dict[str, Literal["q", "d"]] = {"i64": "q", "f64": "d"}


class Series:
    """One metric of one run over its steps: `kind` is "raw", or "buckets" with first, last, min, max, mean, counts and
    nan_counts of each. `count`: the points in the window. The arrays are memoryviews of int64 and double."""

    def __init__(self, head: Mapping[str, Any], arrays: Mapping[str, memoryview[Any]]) -> None:
        self.run: str = head["run"]
        self.key: str = head["key"]
        self.kind: str = head["kind"]
        self.count: int = head["count"]
        self.arrays = dict(arrays)

    @property
    def steps(self) -> memoryview[Any]:
        """Of each point, or of each bucket's first."""
        return self.arrays["steps"]

    @property
    def times(self) -> memoryview[Any]:
        """Microseconds since 1970."""
        return self.arrays["times"]

    @property
    def values(self) -> memoryview[Any]:
        """Raw values, or the means of the buckets."""
        return self.arrays["values" if "values" in self.arrays else "mean"]

    @property
    def ema(self) -> Optional[memoryview[Any]]:
        """The moving average, where it was asked for."""
        return self.arrays.get("ema")

    def __getattr__(self, name: str) -> memoryview[Any]:
        arrays = self.__dict__.get("arrays", {})
        if name in arrays:
            found: memoryview = arrays[name]
            return found
        raise AttributeError(f"a series of kind '{self.__dict__.get('kind')}' has no '{name}'")

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Step and value."""
        return zip(self.steps, self.values)

    def __repr__(self) -> str:
        return f"<martlet.Series {self.key} of {self.run}: {len(self)} {self.kind}, {self.count} points>"

    def to_numpy(self) -> dict[str, Any]:
        """The arrays by name; they share this series' memory."""
        import numpy

        return {name: numpy.asarray(values) for name, values in self.arrays.items()}

    def to_pandas(self) -> Any:
        """A data frame with a column an array."""
        import pandas

        return pandas.DataFrame(self.to_numpy())


def decode(frame: bytes) -> list[Series]:
    """Raises ValueError for what is no such frame."""
    try:
        magic, version, length = HEAD.unpack_from(frame)
        if magic != MAGIC or version != 1:
            raise ValueError(f"it begins with {frame[:12]!r}")
        if HEAD.size + length > len(frame):
            raise ValueError("it is cut off")
        heads = json.loads(frame[HEAD.size : HEAD.size + length])["series"]
        words = memoryview(frame)[HEAD.size + length :]
        return [Series(head, dict(_arrays(head, words))) for head in heads]
    except (struct.error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"what came is no series of a Martlet server: {error}") from error


def _arrays(head: Mapping[str, Any], words: memoryview[Any]) -> Iterator[tuple[str, memoryview[Any]]]:
    for one in head["arrays"]:
        begin, end = one["offset"], one["offset"] + 8 * head["n"]
        if not 0 <= begin <= end <= len(words):
            raise ValueError(f"the array '{one['name']}' lies outside of it")
        yield one["name"], native(words[begin:end], TYPES[one["type"]])


def native(words: memoryview[Any], kind: Literal["q", "d"], order: str = sys.byteorder) -> memoryview[Any]:
    """Little-endian words of 8 bytes as numbers of this machine."""
    if order == "little":
        return words.cast(kind)
    swapped: array.array[Any] = array.array(kind)
    swapped.frombytes(words)
    swapped.byteswap()
    return memoryview(swapped)
