"""Short spools written by hand after docs/spool.md, and what is left of them when they are damaged."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from typing import Any

TIME = 1_790_000_000_000_000
POINTS, INFO, END, ROW = range(4)


@dataclasses.dataclass(frozen=True)
class Spool:
    """A file's bytes, and where each of its rows ends: the number that it logged under `n`, by that offset."""

    data: bytes
    ends: dict[int, int]  # offset just behind a row -> its number
    borders: tuple[int, ...]  # offsets just behind any record

    def numbers_before(self, offset: int) -> list[int]:
        """Of the rows that end at `offset` or before."""
        return [number for end, number in sorted(self.ends.items()) if end <= offset]


def spool(client: str, run: str, first: int, outside: bool, rows: int = 6) -> Spool:
    """Rows `first`, `first + 1`, …: numbers, every third with a text; names are told as they come."""
    data = bytearray()
    ends: dict[int, int] = {}
    borders: list[int] = []

    def record(kind: int, seq: int, step: int, payload: bytes) -> None:
        body = struct.pack("<QqqB", seq, step, TIME + seq, kind) + payload
        data.extend(struct.pack("<II", len(body), zlib.crc32(body)) + body)
        borders.append(len(data))

    def info(seq: int, content: dict[str, Any]) -> None:
        record(INFO, seq, 0, json.dumps(content).encode())

    info(
        0,
        {
            "format": 1,
            "client": client,
            "run": run,
            "url": None,
            "outside": outside,
            "finish": False,
            "lock": True,
            "pid": 1,
        },
    )
    info(0, {"names": {"n": 0}})
    for index in range(rows):
        number = first + index
        if index % 3 == 2:
            record(ROW, index, index, json.dumps({"n": number, "note": "übel"}).encode())
        elif index == 3:
            info(index, {"names": {"loss": 7}, "config": {"lr": 0.1}})
            record(POINTS, index, index, struct.pack("<IIdd", 7, 0, 0.5, number))
        else:
            record(POINTS, index, index, struct.pack("<Id", 0, number))
        ends[len(data)] = number
    record(END, rows, 0, b"{}")
    return Spool(bytes(data), ends, tuple(borders))


def holds_something(path: str) -> bool:
    """Whether a spool's first record is whole: a client that was killed before has logged nothing. A file that is gone
    by now holds nothing."""
    try:
        with open(path, "rb") as file:
            length, crc = struct.unpack("<II", file.read(8))
            body = file.read(length)
    except (FileNotFoundError, struct.error):
        return False
    return len(body) == int(length) and zlib.crc32(body) == int(crc)


@dataclasses.dataclass(frozen=True)
class Damage:
    """A file that was cut off at an offset, or whose byte there has changed."""

    at: int
    flip: int = 0  # exclusive-or; 0: the file ends here

    def of(self, data: bytes) -> bytes:
        if self.flip == 0:
            return data[: self.at]
        return data[: self.at] + bytes([data[self.at] ^ self.flip]) + data[self.at + 1 :]


def every_damage(size: int) -> list[Damage]:
    """A cut at every byte, and every byte changed in one bit or in all."""
    flips = [Damage(at, flip) for at in range(size) for flip in (1 << at % 8, 0xFF)]
    return [*(Damage(at) for at in range(size + 1)), *flips]
