"""The binary rows that a sender posts, decoded as strictly as the contract allows: docs/spool.md, "Sending"."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any


class Wrong(Exception):
    """Bytes that no server takes."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


def decode(body: bytes) -> list[dict[str, Any]]:
    """Rows as objects with seq, step, time and values."""
    rows: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    at = 0
    if not body:
        raise Wrong(0, "nothing")
    while at < len(body):
        if len(body) - at < 33:
            raise Wrong(at, "a torn head")
        length, crc, seq, step, time, kind = struct.unpack_from("<IIQqqB", body, at)
        record = body[at + 8 : at + 8 + length]
        if not 25 <= length < 1 << 26 or len(record) != length:
            raise Wrong(at, "a torn record")
        if zlib.crc32(record) != crc:
            raise Wrong(at, "a wrong checksum")
        payload = record[25:]
        if at == 0 and (kind != 1 or set(json.loads(payload)) != {"names"}):
            raise Wrong(at, "the first record tells the names and nothing else")
        if kind == 1:
            told = json.loads(payload).get("names", {})
            names.update({number: name for name, number in told.items()})
        elif kind in (0, 3):
            if rows and seq != rows[-1]["seq"] + 1:
                raise Wrong(at, "a gap")
            rows.append({"seq": seq, "step": step, "time": time, "values": _values(kind, payload, names, at)})
        elif kind == 2:
            raise Wrong(at, "an end among rows")
        at += 8 + length
    if not rows:
        raise Wrong(0, "no row")
    return rows


def _values(kind: int, payload: bytes, names: dict[int, str], at: int) -> dict[str, Any]:
    if kind == 3:
        values = json.loads(payload)
        if not isinstance(values, dict):
            raise Wrong(at, "a row that is no object")
        return values
    count, rest = divmod(len(payload), 12)
    if rest or not count:
        raise Wrong(at, "a row of another length")
    numbers = struct.unpack(f"<{count}I{count}d", payload)
    if any(number not in names for number in numbers[:count]):
        raise Wrong(at, "a number without a name")
    return {names[number]: value for number, value in zip(numbers[:count], numbers[count:])}
