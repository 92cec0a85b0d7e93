"""The spool file: what a client logged, on disk until the server has it. The format is that of docs/spool.md."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import struct
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Optional
from zlib import crc32

POINTS, INFO, END, ROW = range(4)

HEAD = struct.Struct("<II")  # length and CRC-32 of what follows
BODY = struct.Struct("<QqqB")  # seq, step, time in microseconds, kind
LONGEST = (1 << 26) - 1  # a longer record is damage, not a row
TRIES = 10  # to make a file that nobody takes for a dead client's
ROOM = 8192  # bytes kept for the last record of a client whose disk is full

# What a file system without flock answers (Lustre mounted without it, for one).
NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class Record(NamedTuple):
    """One whole and undamaged record; `end` is the offset just behind it."""

    end: int
    seq: int
    step: int
    time: int
    kind: int
    payload: bytes


class Shape(NamedTuple):
    """How rows of one set of names are packed: seq, step, time, kind, ids and as many doubles."""

    layout: struct.Struct
    ids: bytes


def records(path: str, offset: int) -> Iterator[Record]:
    """The records from `offset` on, up to the first that is torn, damaged, or still being written."""
    with open(path, "rb") as file:
        file.seek(offset)
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, crc = HEAD.unpack(head)
            body = file.read(length) if BODY.size <= length <= LONGEST else b""
            if not body or len(body) != length or crc32(body) != crc:
                return
            offset += HEAD.size + length
            seq, step, time, kind = BODY.unpack_from(body)
            yield Record(offset, seq, step, time, kind, body[BODY.size :])


def record(kind: int, seq: int, step: int, time: int, payload: bytes) -> bytes:
    """The bytes of one record."""
    body = BODY.pack(seq, step, time, kind) + payload
    return HEAD.pack(len(body), crc32(body)) + body


def try_lock(fd: int, kind: int) -> Optional[bool]:
    """True when the lock was taken, False when somebody else has it, None where there are no locks."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise
    return True


class Spool:
    """The writing end: one process, one thread at a time, appending whole records.

    Every method may be left by an exception at any point (a full disk, or KeyboardInterrupt out of a signal
    handler): the next call looks at the file's size to learn what became of the record, so that a row's number is
    neither skipped nor used twice.
    """

    def __init__(self, directory: str, client: str, first: Mapping[str, Any], time: int) -> None:
        self.seq = 0  # the number of the next row
        self._size = 0
        self._unsettled: Optional[tuple[int, int, int]] = None  # size before, size after, seq after
        self._ids: dict[str, int] = {}
        self._fd, self.path, self.client = -1, "", client
        self._room = ""
        try:
            lock = self._make(directory)
            self.info({"format": 1, "client": self.client, **first, "lock": lock, "pid": os.getpid()}, time)
            _reserve(self._room)
        except BaseException:  # a full disk, or Ctrl-C: nothing of it is left behind
            self.close()
            _unlink(self._room)
            _unlink(self.path)
            raise

    def _make(self, directory: str) -> bool:
        """Makes the file and takes its lock, which is held for life, however that ends: it tells others that we live.

        Whoever sends removes an empty spool that nobody holds. One that looked between our two calls has the lock, or
        has removed the file already: then we begin another.
        """
        for _ in range(TRIES):
            self.path = os.path.join(directory, self.client + ".spool")
            self._room = os.path.join(directory, self.client + ".room")
            os.makedirs(directory, mode=0o700, exist_ok=True)
            try:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:  # a directory that had become empty was removed just now
                continue
            lock = try_lock(self._fd, fcntl.LOCK_EX)
            if lock is None or (lock and os.fstat(self._fd).st_nlink):
                return bool(lock)
            self.close()
            _unlink(self.path)
            self.client = uuid.uuid4().hex
        raise OSError(errno.EAGAIN, "Others remove each new file", directory)

    def ids(self, names: tuple[str, ...], time: int) -> bytes:
        """The packed ids of names, which are written down first where they are new."""
        new: dict[str, int] = {}
        for name in names:
            if name not in self._ids:
                new.setdefault(name, len(self._ids) + len(new))
        if new:
            self.info({"names": new}, time)
            self._ids.update(new)  # after the write: a name that no reader was told of is not known
        return struct.pack(f"<{len(names)}I", *(self._ids[name] for name in names))

    def shape(self, names: tuple[str, ...], time: int) -> Shape:
        """How `points` packs rows of these names."""
        ids = self.ids(names, time)
        return Shape(struct.Struct(f"<QqqB{len(ids)}s{len(names)}d"), ids)

    @property
    def name_count(self) -> int:
        return len(self._ids)

    def knows(self, name: str) -> bool:
        return name in self._ids

    def points(self, shape: Shape, step: int, time: int, values: Iterable[float]) -> None:
        """A row of numbers. The hot path: one pack, one checksum, one write."""
        if self._unsettled:
            self._settle()
        seq = self.seq
        body = shape.layout.pack(seq, step, time, POINTS, shape.ids, *values)
        self._write(HEAD.pack(len(body), crc32(body)) + body, seq + 1)

    def row(self, kind: int, step: int, time: int, payload: bytes) -> None:
        self._append(kind, step, time, payload)

    def info(self, content: Mapping[str, Any], time: int) -> None:
        self._append(INFO, 0, time, json.dumps(content).encode())

    def end(self, content: Mapping[str, Any], time: int) -> None:
        """The last record. On a full disk it takes the room that was kept for it."""
        payload = json.dumps(content).encode() if content else b""
        try:
            self._append(END, 0, time, payload)
        except OSError:
            _unlink(self._room)
            self._append(END, 0, time, payload)
        _unlink(self._room)

    def close(self) -> None:
        """Lets go of the file and of the lock. In a forked child this leaves the parent's lock alone only because the
        child closes its copy at once, before the parent can die."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _append(self, kind: int, step: int, time: int, payload: bytes) -> None:
        if self._unsettled:
            self._settle()
        seq = self.seq
        self._write(record(kind, seq, step, time, payload), seq + 1 if kind in (POINTS, ROW) else seq)

    def _write(self, whole: bytes, seq: int) -> None:
        """Appends one record; `seq` is the next row's number from then on."""
        size = self._size + len(whole)
        self._unsettled = (self._size, size, seq)
        if os.write(self._fd, whole) != len(whole):
            self._settle()
            raise OSError(errno.ENOSPC, "The disk took only a part of a record", self.path)
        self._size, self.seq = size, seq
        self._unsettled = None

    def _settle(self) -> None:
        """After a write whose outcome is unknown: the file itself says whether the record is there."""
        if self._unsettled is None:
            return
        before, after, seq = self._unsettled
        actual = os.fstat(self._fd).st_size
        if actual >= after:
            self._size, self.seq = after, seq
        elif actual > before:
            os.ftruncate(self._fd, before)
        self._unsettled = None


def _reserve(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, b"-" * ROOM)
    finally:
        os.close(fd)


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
