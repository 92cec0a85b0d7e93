"""What the program prints, kept beside the spool as well: `sys.stdout` and `sys.stderr` go on as they are.

The stream objects stay in their places; only their `write` is joined. So `isatty`, `buffer`, a `redirect_stdout`,
pytest's capture and whoever holds the object already see no difference. What goes past Python's streams (a C library's
printf, a child process) is not seen.
"""

from __future__ import annotations

import contextlib
import fcntl
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
HIGH = 512  # our descriptor's number, at least: a program that opens a file gets the lowest that is free


class Console:
    """A process's one capture. Nothing here waits for a lock, and nothing raises into a `print`.

    The descriptor keeps its number for as long as the process lives, whatever file it leads to: a thread that is just
    writing never meets one that was closed. A program may close it all the same (one that becomes a daemon closes all
    that it has), and then open a file of its own under that number: so before each write it is asked where it leads.
    """

    def __init__(self) -> None:
        self._fd = -1
        self._files: tuple[tuple[int, int], ...] = ()  # device and inode of what it may lead to: the last two
        self._stem = ""
        self._on = False
        self._token: object = None  # of the latest `begin`
        self._segment = 0
        self._torn = False  # this segment takes no more
        self._lost = 0
        self._try_at = 0.0
        self._turn = threading.Lock()  # only ever tried
        self._turn_pid = self._pid = 0
        self._writing = threading.local()
        self._joined: list[tuple[Any, Any, Callable[..., Any]]] = []

    def begin(self, stem: str) -> None:
        """Keeps what is printed from now on in `<stem>.console.<number>`. Raises OSError where no file can be made."""
        self.end()
        self._stem, self._lost, self._torn = stem, 0, False
        self._turn, self._token = threading.Lock(), object()
        self._turn_pid = self._pid = os.getpid()
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
        self._on, self._token = False, None
        for stream, own, write in self._joined:
            with contextlib.suppress(Exception):
                if stream.__dict__.get("write") is own:  # else somebody else has joined it after us, and calls us
                    delattr(stream, "write")
                    if stream.write != write:  # an object that had one of its own, not its class's
                        stream.write = write
        self._joined = []
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self._lead_to(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))

    def _join(self, stream: Any, number: int) -> None:
        try:
            write, token, writing = stream.write, self._token, self._writing

            def both(text: Any, *more: Any, **named: Any) -> Any:
                if self._token is not token:  # somebody who joined the stream after us still calls us
                    return write(text, *more, **named)
                outer = getattr(writing, "text", None)
                if outer is not None and outer == text:  # a stream that writes through the other one: kept out there
                    writing.text = None
                    return write(text, *more, **named)
                try:
                    if outer is None:  # else we are in a signal's handler
                        writing.text = text
                    return write(text, *more, **named)
                finally:
                    if outer is None:
                        writing.text = None
                    self._keep(number, text)

            stream.write = both
        except Exception:  # an object of somebody else's that takes no attribute: it is left alone
            return
        self._joined.append((stream, both, write))

    def _keep(self, number: int, text: Any) -> None:
        if not self._on or not isinstance(text, str):
            return
        try:
            data = text.encode("utf-8", "backslashreplace")
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
        if not self._room(size):
            self._lost += len(data)
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._append(2, f"\n[martlet: {lost} bytes of output were not kept here]\n".encode())
        try:
            # One call, at the file's end: what other threads and forked children print does not fall into it.
            written = os.writev(self._fd, (FRAME.pack(MARK, number, 0, len(data), time.time_ns() // 1000), data))
        except OSError:
            written = 0
        if written != size:  # a full disk; a piece of a frame ends this segment
            self._lost += len(data)
            self._torn, self._try_at = True, time.monotonic() + AGAIN

    def _room(self, size: int) -> bool:
        """Whether a frame may be written; another segment is begun where this one is full, or was sent and removed."""
        found = self._file()
        if found is None:
            if self._lock():
                try:  # another thread has gone on to another file in between, or the number is not ours any more
                    found = self._file()
                    if found is None:
                        self._on, self._fd = False, -1
                finally:
                    self._turn.release()
            if found is None:
                return False
        if self._takes(found, size):
            return True
        if time.monotonic() < self._try_at or not self._lock():
            return False
        try:
            return self._takes(self._file(), size) or self._next()
        except OSError:
            return False
        finally:
            self._turn.release()

    def _takes(self, found: Optional[os.stat_result], size: int) -> bool:
        if found is None or self._torn or not found.st_nlink:
            return False
        return not found.st_size or found.st_size + size <= SEGMENT

    def _file(self) -> Optional[os.stat_result]:
        """What the descriptor leads to; None where that is not ours."""
        try:
            found = os.fstat(self._fd)
        except OSError:
            return None
        return found if (found.st_dev, found.st_ino) in self._files else None

    def _lock(self) -> bool:
        if self._turn_pid != os.getpid():  # whoever held it was not forked with us
            self._turn, self._turn_pid = threading.Lock(), os.getpid()
        return self._turn.acquire(blocking=False)

    def _next(self) -> bool:
        """Goes on to a new segment: of parent and children each makes its own, and all count together."""
        self._try_at = time.monotonic() + AGAIN
        if self._pid != os.getpid() and not os.path.exists(self._stem + ".spool"):
            self._on = False  # the parent's run is over, and everything was sent: nobody would look here again
            return False
        while True:
            numbers = segments(self._stem)
            if len(numbers) >= MOST_SEGMENTS:
                return False
            with contextlib.suppress(FileExistsError):  # another process was faster
                self._open(max([self._segment, *numbers]) + 1, os.O_EXCL)
                self._try_at = 0.0
                return True

    def _open(self, number: int, how: int = 0) -> None:
        path = segment(self._stem, number)
        self._lead_to(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | how, 0o600))
        self._segment, self._torn = number, False

    def _lead_to(self, fd: int) -> None:
        """Gives our descriptor the file of `fd`, which is closed."""
        try:
            found = os.fstat(fd)
            if self._fd >= 0 and self._file() is None:  # the number is somebody else's by now
                self._fd = -1
            self._files = (*self._files[-1:], (found.st_dev, found.st_ino))
            if self._fd >= 0:
                os.dup2(fd, self._fd, inheritable=False)
            else:
                with contextlib.suppress(OSError):  # a limit below that number
                    self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH)
                if self._fd < 0:
                    fd, self._fd = -1, fd
        finally:
            if fd >= 0:
                os.close(fd)


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
