"""What trainers log, and what they note of it.

A row follows from (seed, writer, index) alone, so whoever reads the store back knows what must be in it. A writer notes
each row before and after its `log()`: a row with both notes has returned and must be there once; of a row with only the
first nobody can say.
"""

from __future__ import annotations

import enum
import math
import os
import struct
from typing import Any, NamedTuple, Optional

# How the numbers that JSON cannot hold stand in answers.
NOT_IN_JSON = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

STRIDE = 10_000_000  # rows of one writer, at most: a row's number is writer * STRIDE + index

_NOTE = struct.Struct("<q")  # index * 4 + what
_STRANGE = (math.nan, math.inf, -math.inf, -0.0, 1e308, 5e-324)


class Note(enum.IntEnum):
    """What is noted of a row: `log()` is called; it returned; it returned and said that the row was dropped."""

    BEFORE, AFTER, DROPPED = range(3)


class Steps(enum.IntEnum):
    """How a trainer numbers its rows."""

    ABSENT, REPEATED, BACK, FAR = range(4)

    def of(self, index: int) -> int:
        """The step under which row `index` is stored."""
        if self is Steps.REPEATED:
            return index // 3
        if self is Steps.BACK:
            return index - 7 if index % 10 == 9 else index
        if self is Steps.FAR:
            return (1 << 53) + 5 * index
        return index


class Row(NamedTuple):
    """One `log()` call."""

    step: int
    values: dict[str, Any]

    @property
    def number(self) -> Optional[int]:
        """Which row this is, told by its values; None for a row that no trainer here logged."""
        found = self.values.get("n", self.values.get("word"))
        try:
            return None if found is None else int(found)
        except (TypeError, ValueError):
            return None


def row(seed: int, writer: int, index: int, steps: Steps = Steps.ABSENT) -> Row:
    """Numbers, most of all; every fifth row has one that JSON cannot hold, every seventh a text beside them, and every
    fortieth is nothing but text."""
    number = writer * STRIDE + index
    if index % 40 == 39:
        return Row(steps.of(index), {"word": str(number)})
    values: dict[str, Any] = {"n": number, "loss": _loss(seed, number, index), f"key{index % 11}": index / 8}
    if index % 5 == 0:
        values["strange"] = _STRANGE[index // 5 % len(_STRANGE)]
    if index % 7 == 3:
        values["note"] = f'row {index}, "übel" \\ \u2028\n{"x" * (index % 50)}'
    if index % 60 == 30:
        values["nested"] = {"list": [1, 2.5, None, True], "deep": {"of": index}}
    return Row(steps.of(index), values)


def _loss(seed: int, number: int, index: int) -> float:
    """A noisy loss; a float32 that was widened for every second seed, as a framework gives it."""
    noise = ((number + 1) * 2_654_435_761 + seed * 40_503 & 0xFFFFFFFF) / 0x100000000
    loss = (0.1 + 2.0 * math.exp(-index / 3000)) * (0.9 + 0.2 * noise)
    return float(struct.unpack("<f", struct.pack("<f", loss))[0]) if seed % 2 else loss


class Notes:
    """One writer's file of notes. Each note is one append: whatever is killed, it is there or it is not."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, index: int, what: Note) -> None:
        os.write(self._fd, _NOTE.pack(index * 4 + what))


class Noted(NamedTuple):
    """Indices of one writer's rows."""

    returned: frozenset[int]
    maybe: frozenset[int]
    dropped: frozenset[int]


def read_notes(path: str) -> Noted:
    told: dict[Note, set[int]] = {what: set() for what in Note}
    with open(path, "rb") as file:
        data = file.read()
    for (packed,) in _NOTE.iter_unpack(data[: len(data) // _NOTE.size * _NOTE.size]):
        told[Note(packed % 4)].add(packed // 4)
    returned, dropped = told[Note.AFTER], told[Note.DROPPED]
    return Noted(frozenset(returned), frozenset(told[Note.BEFORE] - returned - dropped), frozenset(dropped))
