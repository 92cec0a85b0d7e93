"""The head of a piece that is sent: an info record with the names by which the rows behind it call their numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from martlet._spool import BODY, HEAD, INFO, POINTS, record

LARGE = 16 << 10  # bytes of names beyond which a piece names only what its rows use


class Names:
    """What a spool's info records have called its numbers so far."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}
        self._at_lead = self._of  # as it was when `lead` was last asked
        self._encoded: list[bytes] = []  # the payloads of info records that tell all names

    def learn(self, names: Mapping[str, int]) -> None:
        """A later name of a number holds from then on."""
        if self._at_lead is self._of:
            self._of = dict(self._of)
        self._of.update({number: name for name, number in names.items()})
        self._encoded.clear()

    def lead(self, seq: int) -> bytes:
        """The records that tell all names, before row `seq`."""
        if not self._encoded:
            self._encoded = _payloads(self._of)
        self._at_lead = self._of
        return b"".join(record(INFO, seq, 0, 0, payload) for payload in self._encoded)

    def fitting(self, lead: bytes, rows: bytes, seq: int) -> bytes:
        """`lead`, or where it would outweigh the rows (thousands of names, a few rows), the names these use."""
        if len(lead) <= LARGE or len(rows) > 8 * len(lead):
            return lead
        used: set[int] = set()
        for ids in _id_lists(rows):
            used.update(struct.unpack(f"<{len(ids) // 4}I", ids))
        few = _payloads({number: self._at_lead[number] for number in used if number in self._at_lead})
        return b"".join(record(INFO, seq, 0, 0, payload) for payload in few)


def _payloads(names: Mapping[int, str]) -> list[bytes]:
    """One, whatever there is to tell; a name that has two numbers needs a second."""
    payloads = []
    left = dict(names)
    while left:
        told: dict[str, int] = {}
        for number, name in left.items():
            told.setdefault(name, number)
        payloads.append(json.dumps({"names": told}).encode())
        left = {number: name for number, name in left.items() if told[name] != number}
    return payloads or [b'{"names": {}}']


def _id_lists(rows: bytes) -> set[bytes]:
    """The packed name ids of the rows of numbers, each list once."""
    found = set()
    at = 0
    while at < len(rows):
        (length, _) = HEAD.unpack_from(rows, at)
        if rows[at + HEAD.size + BODY.size - 1] == POINTS:
            begin = at + HEAD.size + BODY.size
            found.add(rows[begin : begin + (length - BODY.size) // 12 * 4])
        at += HEAD.size + length
    return found
