"""Values with a type of their own: a row holds them as JSON with a `_type`; their bytes lie beside the spool."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Optional

from martlet._values import DEEPEST, Unloggable

MOST_BYTES = 1 << 30  # of one blob
CHUNK = 1 << 20

_LEAVES = frozenset((float, int, bool, str, bytes, type(None)))


class Typed:
    """What `log` takes besides numbers, text and lists. It is read when it is logged, in the thread that logs."""

    def encode(self, blobs: Blobs) -> dict[str, Any]:
        """The row's JSON. Raises Unloggable, or whatever another library raises."""
        raise NotImplementedError


class Blobs:
    """Where the bytes of one log() call go: files under their SHA-256 in `<spool directory>/blobs`."""

    def __init__(self, directory: str) -> None:
        self._folder = os.path.join(directory, "blobs")
        self.kept: dict[str, int] = {}  # SHA-256 and size

    def keep(self, pieces: Iterable[bytes], size: Optional[int] = None) -> dict[str, Any]:
        """Writes `pieces` and returns the members `blob` and `size` of a value. `size`: when it is known before."""
        if size is not None and size > MOST_BYTES:
            raise too_large(size)
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        part = os.path.join(self._folder, f"{uuid.uuid4().hex}.part")
        digest, written = hashlib.sha256(), 0
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            try:
                for piece in pieces:
                    digest.update(piece)
                    written += len(piece)
                    if written > MOST_BYTES:
                        raise too_large(written)
                    _write(fd, piece)
            finally:
                os.close(fd)
            name = digest.hexdigest()
            os.replace(part, os.path.join(self._folder, name))  # whole at once, over the same bytes if they are there
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        self.kept[name] = written
        return {"blob": name, "size": written}

    def keep_file(self, path: str) -> dict[str, Any]:
        """A copy of the file as it is now."""
        with opened(path) as file:
            return self.keep(_pieces_of(file.fileno()), os.fstat(file.fileno()).st_size)


def encoded(value: Any, blobs: Blobs, depth: int = DEEPEST) -> Any:
    """`value` with JSON in the place of every typed value in it."""
    if isinstance(value, Typed):
        return value.encode(blobs)
    kind = type(value)
    if kind is dict and depth and not _LEAVES.issuperset(map(type, value.values())):
        return {key: encoded(item, blobs, depth - 1) for key, item in value.items()}
    if kind in (list, tuple) and depth and not _LEAVES.issuperset(map(type, value)):
        return [encoded(item, blobs, depth - 1) for item in value]
    return value


def opened(path: str) -> BinaryIO:
    """A file to read. A pipe or a device, for which the training would wait, is Unloggable."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Unloggable(f"{path} is no regular file")
        return open(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def too_large(size: int) -> Unloggable:
    return Unloggable(
        f"a file of {size:,} bytes is too large to log, {MOST_BYTES:,} are the limit (write it to run.dir instead)"
    )


def _pieces_of(fd: int) -> Iterator[bytes]:
    while piece := os.read(fd, CHUNK):
        yield piece


def _write(fd: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(fd, view) :]
