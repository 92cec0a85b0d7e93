"""The reading end of what a client printed: pieces of a stream, in the order in which they were printed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from martlet._console import FRAME, LONGEST, MARK, STREAMS, segment, segments

PIECE = 256 << 10  # bytes of one request, about
WINDOW = 250_000  # microseconds whose output of one stream goes together
MOST_TURNS = 16  # that the streams take in one window
BEHIND = 1 << 20  # bytes that wait, from which on the window is wider
WIDE = 2_000_000


class Piece(NamedTuple):
    """What one stream got between two moments."""

    stream: str
    offset: int  # bytes of the stream before it
    time: int  # microseconds since 1970, of its last byte
    data: bytes


class ConsoleTail:
    """One client's files `<stem>.console.<number>`. `noted` is what `state` was when an earlier sender ended."""

    def __init__(self, stem: str, noted: Any = None) -> None:
        self._stem = stem
        noted = noted if isinstance(noted, dict) else {}
        self._segment: int = noted.get("segment", -1)
        self._at: int = noted.get("at", 0)
        self._sent = {name: int(noted.get(name, 0)) for name in STREAMS[1:]}
        self._kept: int = self._segment  # what lies before it is removed
        self._ends: dict[int, int] = {}  # of those between the two: what is sent of each

    @property
    def state(self) -> Optional[dict[str, int]]:
        """What a later sender needs to know; None before anything was printed."""
        return {"segment": self._segment, "at": self._at, **self._sent} if self._segment >= 0 else None

    @property
    def behind(self) -> bool:
        """More than one piece waits."""
        with contextlib.suppress(OSError):
            if os.stat(segment(self._stem, self._segment)).st_size > self._at + PIECE:
                return True
        return os.path.exists(segment(self._stem, self._segment + 1))

    def mark(self) -> tuple[int, int]:
        """Where what is there by now ends."""
        with contextlib.suppress(OSError, IndexError):
            last = segments(self._stem)[-1]
            return last, os.stat(segment(self._stem, last)).st_size
        return -1, 0

    def reached(self, mark: tuple[int, int]) -> bool:
        """All up to there is sent."""
        return (self._segment, self._at) >= mark

    @property
    def passed(self) -> bool:
        """There are files for `forget`."""
        return 0 <= self._kept < self._segment

    def grown(self) -> bool:
        """There is more to read, perhaps."""
        if self.passed:
            return True
        with contextlib.suppress(OSError):
            if self._segment < 0 or os.stat(segment(self._stem, self._segment)).st_size > self._at:
                return self._segment >= 0 or os.path.exists(segment(self._stem, 0))
        return os.path.exists(segment(self._stem, self._segment + 1))

    def read(self) -> tuple[list[Piece], Any]:
        """The next pieces, and what `delivered` wants when the server has them."""
        if self._segment < 0:
            numbers = segments(self._stem)
            if not numbers:
                return [], None
            self._segment = self._kept = numbers[0]
        for number, at in sorted(self._ends.items()):  # a forked child may have gone on writing there
            frames, end = _frames(self._chunk(number, at)[0], WINDOW)
            if frames:
                return self._pieces(frames), (number, at + end, frames, {})
        number, at = self._segment, self._at
        passed: dict[int, int] = {}
        while True:
            last = not os.path.exists(segment(self._stem, number + 1))  # asked before the look, never after
            chunk, behind = self._chunk(number, at)
            frames, end = _frames(chunk, WIDE if behind > BEHIND else WINDOW)
            if frames or last:
                return self._pieces(frames), (number, at + end, frames, passed)
            if not end or not chunk:  # what is left of this segment is a torn frame, or nothing
                passed[number] = at
                number, at = number + 1, 0
            else:
                at += end

    def delivered(self, token: Any) -> None:
        """The server has what `read` gave."""
        if token is None:
            return
        number, at, frames, passed = token
        if number < self._segment:
            self._ends[number] = at
        else:
            self._segment, self._at = number, at
            self._ends.update(passed)
        for stream, data, _ in frames:
            self._sent[STREAMS[stream]] += len(data)

    def expects(self, stream: str, size: int) -> None:
        """The server has only `size` bytes of a stream (it was restored from a backup): it goes on from there."""
        self._sent[stream] = size

    def forget(self) -> None:
        """Removes the files of which everything is sent and noted."""
        while self.passed:
            at = self._ends.get(self._kept, 0)
            if _frames(self._chunk(self._kept, at)[0], WINDOW)[0]:
                return  # the next `read` gives them
            with contextlib.suppress(OSError):
                os.unlink(segment(self._stem, self._kept))
            self._ends.pop(self._kept, None)
            self._kept += 1

    def remove(self) -> None:
        """Removes all of them."""
        with contextlib.suppress(OSError):
            for number in segments(self._stem):
                with contextlib.suppress(OSError):
                    os.unlink(segment(self._stem, number))

    def _chunk(self, number: int, at: int) -> tuple[bytes, int]:
        try:
            with open(segment(self._stem, number), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(at)
                return file.read(PIECE + LONGEST + FRAME.size), size - at
        except FileNotFoundError:
            return b"", 0

    def _pieces(self, frames: list[tuple[int, bytes, int]]) -> list[Piece]:
        """Where the streams take turns, each turn is a piece, so that a reader sees them as they came; where they do
        so all the time, each stream is one."""
        turns: list[list[tuple[int, bytes, int]]] = []
        for frame in frames:
            if turns and turns[-1][0][0] == frame[0]:
                turns[-1].append(frame)
            else:
                turns.append([frame])
        if len(turns) > MOST_TURNS:
            turns = [own for own in ([frame for frame in frames if frame[0] == number] for number in (1, 2)) if own]
        pieces = []
        sent = dict(self._sent)
        for own in turns:
            name, data = STREAMS[own[0][0]], b"".join(data for _, data, _ in own)
            pieces.append(Piece(name, sent[name], own[-1][2], data))
            sent[name] += len(data)
        return pieces


def _frames(chunk: bytes, window: int) -> tuple[list[tuple[int, bytes, int]], int]:
    """The whole frames that go together (stream, bytes, time), and where they end."""
    found: list[tuple[int, bytes, int]] = []
    at, size = 0, 0
    for stream, data, time, end in _each(chunk):
        if found and (size + len(data) > PIECE or not 0 <= time - found[0][2] <= window):
            break
        found.append((stream, data, time))
        size += len(data)
        at = end
    return found, at


def _each(chunk: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    at = 0
    while at + FRAME.size <= len(chunk):
        mark, stream, _, length, time = FRAME.unpack_from(chunk, at)
        end = at + FRAME.size + length
        if mark != MARK or stream not in (1, 2) or length > LONGEST or end > len(chunk):
            return  # torn, or just being written
        yield stream, chunk[at + FRAME.size : end], time, end
        at = end
