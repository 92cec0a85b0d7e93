"""What the program prints, kept beside the spool as well: `sys.stdout` and `sys.stderr` go on as they are.

The stream objects stay in their places; only their `write` is joined. So `isatty`, `buffer`, a `redirect_stdout`,
pytest's capture and whoever holds the object already see no difference. What goes past Python's streams (a C library's
printf, a child process) is not seen.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
import time
from typing import Any, Callable, Optional

FRAME = struct.Struct("<BBHIq")  # mark, stream, nothing, length of what follows, microseconds since 1970
MARK = 0xC5
STREAMS = ("", "stdout", "stderr")  # by their number
LONGEST = 1 << 20  # bytes of one frame
SEGMENT = 8 << 20  # bytes after which another file is begun, so that what was sent can be removed
MOST_SEGMENTS = 32  # of one client that nobody has sent yet
AGAIN = 1.0  # seconds until a full disk is tried again


class Console:
    """A process's one capture. Nothing here waits for a lock, and nothing raises into a `print`.

    The descriptor keeps its number for as long as the process lives, whatever file it leads to: a thread that is just
    writing never meets one that was closed, or given to somebody else.
    """

    def __init__(self) -> None:
        self._fd = -1
        self._stem = ""
        self._on = False
        self._segment = 0
        self._left = 0  # bytes that this segment still takes
        self._lost = 0
        self._try_at = 0.0
        self._turn = threading.Lock()  # only ever tried
        self._pid = 0
        self._joined: list[tuple[Any, Any, Callable[..., Any]]] = []

    def begin(self, stem: str) -> None:
        """Keeps what is printed from now on in `<stem>.console.<number>`. Raises OSError where no file can be made."""
        self.end()
        self._stem, self._segment, self._lost, self._pid = stem, 0, 0, os.getpid()
        self._turn = threading.Lock()
        self._open(0)
        self._on = True
        joined: list[Any] = []
        streams: list[Any] = [sys.stdout, sys.stderr]
        for number, stream in enumerate(streams, 1):
            if stream is not None and not any(stream is one for one in joined):
                joined.append(stream)
                self._join(stream, number)

    def end(self) -> None:
        """The streams write as they did before."""
        self._on = False
        for stream, own, write in self._joined:
            with contextlib.suppress(Exception):
                if stream.__dict__.get("write") is own:  # else somebody else has joined it after us, and calls us
                    delattr(stream, "write")
                    if stream.write != write:  # an object that had one of its own, not its class's
                        stream.write = write
        self._joined = []
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
                os.dup2(null, self._fd, inheritable=False)
                os.close(null)

    def _join(self, stream: Any, number: int) -> None:
        try:
            write = stream.write

            def both(text: Any, *more: Any, **named: Any) -> Any:
                try:
                    return write(text, *more, **named)
                finally:
                    self._keep(number, text)

            stream.write = both
        except Exception:  # an object of somebody else's that takes no attribute: it is left alone
            return
        self._joined.append((stream, both, write))

    def _keep(self, number: int, text: Any) -> None:
        if not self._on:
            return
        try:
            data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else bytes(text)
            if len(data) <= LONGEST:
                self._append(number, data)
            else:
                for at in range(0, len(data), LONGEST):
                    self._append(number, data[at : at + LONGEST])
        except Exception:  # the program prints as it always did
            return

    def _append(self, number: int, data: bytes) -> None:
        if not data:
            return
        size = FRAME.size + len(data)
        if (self._left < size or self._pid != os.getpid()) and not self._room(size):
            self._lost += len(data)
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._append(2, f"\n[martlet: {lost} bytes of output were not kept here]\n".encode())
        self._left -= size
        try:
            # One call, at the file's end: what other threads and forked children print does not fall into it.
            written = os.writev(self._fd, (FRAME.pack(MARK, number, 0, len(data), time.time_ns() // 1000), data))
        except OSError:
            written = 0
        if written != size:  # a full disk; a piece of a frame ends this segment
            self._lost += len(data)
            self._left, self._try_at = 0, time.monotonic() + AGAIN

    def _room(self, size: int) -> bool:
        """Another segment where this one is full; of a forked child also where the parent has gone on to another."""
        if self._pid != os.getpid():
            self._turn = threading.Lock() if self._turn.locked() else self._turn  # its holder was not forked with us
            found = os.fstat(self._fd)
            if found.st_nlink and found.st_size + size <= SEGMENT:
                return True
        if time.monotonic() < self._try_at or not self._turn.acquire(blocking=False):
            return False
        try:
            self._try_at = time.monotonic() + AGAIN
            numbers = segments(self._stem)
            if len(numbers) >= MOST_SEGMENTS:
                return False
            self._open(max([self._segment, *numbers]) + (self._pid == os.getpid()))
            self._try_at = 0.0
            return True
        except OSError:
            return False
        finally:
            self._turn.release()

    def _open(self, number: int) -> None:
        path = segment(self._stem, number)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._left = SEGMENT - os.fstat(fd).st_size
        if self._fd < 0:
            self._fd = fd
        else:
            os.dup2(fd, self._fd, inheritable=False)
            os.close(fd)
        self._segment = number


def segment(stem: str, number: int) -> str:
    """The path of one file of a client's output."""
    return f"{stem}.console.{number:06d}"


def segments(stem: str) -> list[int]:
    """The numbers of those that are there."""
    directory, name = os.path.split(stem)
    start = name + ".console."
    found = [entry[len(start) :] for entry in os.listdir(directory) if entry.startswith(start)]
    return sorted(int(number) for number in found if number.isdecimal())


_the_console: Optional[Console] = None


def the_console() -> Console:
    """The process's own."""
    global _the_console
    if _the_console is None:
        _the_console = Console()
    return _the_console
