"""Bodies of `POST /runs/:run/log`, built before any clock starts: JSON lines (docs/api.md) and records
(docs/spool.md)."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tracking import api, values

ROWS = 1_000  # of a body
JSON_LINES, RECORDS = "JSON lines", "records"
MEDIA = {JSON_LINES: api.LINES, RECORDS: api.ROWS}

HEAD = struct.Struct("<II")  # length and CRC-32 of what follows
BODY = struct.Struct("<QqqB")  # seq, step, time in microseconds, kind
POINTS, INFO = 0, 1
LENGTH = struct.Struct("<I")


class Rows(NamedTuple):
    """What one client logs: its row i has number i."""

    names: list[str]
    steps: Sequence[int]
    times: Sequence[int]
    columns: Sequence[Sequence[float]]


def losses(kind: str, keys: int, steps: int, seed: int) -> Rows:
    """The seeded losses under steps from 0 on."""
    return Rows(values.names(keys), range(steps), values.times(steps, seed), values.losses(kind, keys, steps, seed))


def of(rows: Rows, form: str, most: int = ROWS) -> Iterator[bytes]:
    """The bodies, of at most so many rows each."""
    lines = zip(range(len(rows.steps)), rows.steps, rows.times, zip(*rows.columns))
    while chunk := list(islice(lines, most)):
        yield _json_lines(rows.names, chunk) if form == JSON_LINES else _records(rows.names, chunk)


Line = tuple[int, int, int, tuple[float, ...]]  # number, step, time, values


def _json_lines(names: Sequence[str], lines: Iterable[Line]) -> bytes:
    keys = [json.dumps(name) for name in names]
    text = []
    for seq, step, time, row in lines:
        shown = ",".join(f"{key}:{value!r}" for key, value in zip(keys, row))
        text.append(f'{{"seq":{seq},"step":{step},"time":{time},"values":{{{shown}}}}}')
    return "\n".join(text).encode()


def _records(names: Sequence[str], lines: Sequence[Line]) -> bytes:
    """An info record of the names, then the rows, exactly as they lie in a spool."""
    info = json.dumps({"names": {name: number for number, name in enumerate(names)}}).encode()
    ids = struct.pack(f"<{len(names)}I", *range(len(names)))
    layout = struct.Struct(f"<{len(ids)}s{len(names)}d")
    seq, _, time, _ = lines[0]
    pieces = [_record(BODY.pack(seq, 0, time, INFO) + info)]
    for seq, step, time, row in lines:
        pieces.append(_record(BODY.pack(seq, step, time, POINTS) + layout.pack(ids, *row)))
    return b"".join(pieces)


def _record(body: bytes) -> bytes:
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def write(path: str, made: Iterable[bytes]) -> int:
    """Keeps bodies in a file, each behind its length; how many bytes they have without those."""
    total = 0
    with open(path, "wb") as file:
        for body in made:
            file.write(LENGTH.pack(len(body)) + body)
            total += len(body)
    return total


def read(path: str, most: int) -> list[bytes]:
    """The first `most` bodies of such a file."""
    found: list[bytes] = []
    with open(path, "rb") as file:
        while len(found) < most and len(head := file.read(LENGTH.size)) == LENGTH.size:
            found.append(file.read(LENGTH.unpack(head)[0]))
    return found
