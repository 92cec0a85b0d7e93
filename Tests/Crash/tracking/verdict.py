"""Compares what was noted with what is stored."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable

from tracking.logged import NOT_IN_JSON, STRIDE, Noted, Row, Steps, row


@dataclasses.dataclass
class Verdict:
    """Figures of a comparison; may be added up."""

    logged: int = 0  # rows whose log() returned, or that a server acknowledged
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)  # sentences: the first of each kind

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.faults)

    def __iadd__(self, other: Verdict) -> Verdict:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


def judge(name: str, seed: int, steps: Steps, noted: Iterable[tuple[int, Noted]], stored: list[Row]) -> Verdict:
    """One run: the notes of its writers against its rows, which are in the order of arrival."""
    verdict = Verdict(stored=len(stored))
    notes = dict(noted)
    times = Counter(found.number for found in stored)
    verdict.doubled = sum(count - 1 for number, count in times.items() if number is not None)
    for writer, told in notes.items():
        verdict.logged += len(told.returned)
        missing = [index for index in told.returned if writer * STRIDE + index not in times]
        verdict.lost += len(missing)
        if missing:
            verdict.faults.append(f"{name}: writer {writer} lacks {len(missing)} rows, the first is {min(missing)}")
    if verdict.doubled:
        number = next(number for number, count in times.items() if count > 1)
        verdict.faults.append(f"{name}: {verdict.doubled} rows too many, the first is {number}")
    verdict.faults += _strangers(name, seed, steps, notes, stored)
    return verdict


def _strangers(name: str, seed: int, steps: Steps, notes: dict[int, Noted], stored: list[Row]) -> list[str]:
    """Rows that nobody logged, that differ from what was logged, or that came in another order."""
    last: dict[int, int] = {}
    for found in stored:
        if found.number is None:
            return [f"{name}: a row that nobody logged: {found!r:.300}"]
        writer, index = divmod(found.number, STRIDE)
        told = notes.get(writer)
        if told is None or index not in told.returned | told.maybe:
            dropped = told is not None and index in told.dropped
            return [f"{name}: row {index} of writer {writer} {'was dropped' if dropped else 'was never logged'}"]
        wanted = row(seed, writer, index, steps)
        if not same(found, wanted):
            return [f"{name}: logged as {wanted!r:.300}, stored as {found!r:.300}"]
        if index < last.get(writer, -1):
            return [f"{name}: row {index} of writer {writer} stands behind row {last[writer]}"]
        last[writer] = index
    return []


def same(found: Row, wanted: Row) -> bool:
    """Number for number to the last bit; numbers that JSON cannot hold may stand as their names."""
    if found.step != wanted.step or found.values.keys() != wanted.values.keys():
        return False
    return all(_same_value(found.values[name], value) for name, value in wanted.values.items())


def _same_value(found: object, wanted: object) -> bool:
    if not isinstance(wanted, (int, float)):
        # As texts, so that 1, 1.0 and true are three.
        return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    number = NOT_IN_JSON.get(found) if isinstance(found, str) else found
    return isinstance(number, (int, float)) and repr(float(number)) == repr(float(wanted))
