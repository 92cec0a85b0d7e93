"""`python3 -m martlet sync`: sends what spools hold, of runs that ended, were killed or kept offline, or still run."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Optional
from urllib.parse import urlsplit

from martlet._aside import CutOff
from martlet._connection import Refused
from martlet._credentials import NoServer, find
from martlet._notes import lock_of, note
from martlet._sender import Sender, remove
from martlet._tail import NotASpool, Tail, remove_empty

EVERY = 0.2  # seconds between two lines of progress on a terminal


class Sync:
    """One call of the command: goes through all spools, says what became of each, and sums up."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._shown = False  # a line of progress stands on the terminal
        self._next_show = 0.0
        self.spools = self.rows = self.files = self.bytes = 0
        self.unsent = self.live = 0

    def run(self, places: Iterable[str]) -> int:
        """The exit code: 1 when something could not be sent."""
        for place in places:
            for path in spools_in(os.path.expanduser(place)):
                self.spools += 1
                try:
                    self._send(path)
                except KeyboardInterrupt:
                    self._say("stopped; what is not sent yet stays where it is, and this command goes on with it")
                    self._sum_up()
                    return 130
        self._sum_up()
        return 1 if self.unsent else 0

    def _send(self, path: str) -> None:
        lock = lock_of(path)
        if lock is None:
            self.live += 1
            self._say(f"{path} has a sender already, which is at it")
            return
        sender: Optional[Sender] = None
        try:
            if not os.path.exists(path):  # a sender has just been done with it
                with contextlib.suppress(OSError):
                    os.unlink(path.removesuffix(".spool") + ".sender")
                return
            removed = remove_empty(path)
            if removed is not None:
                self.live += not removed
                nothing = "had nothing in it: its program was killed as it began. It is removed"
                self._say(f"{path} {nothing if removed else 'is empty: its program has just begun'}")
                return
            environ = _environment_for(path)
            sender = Sender(path, environ, patience=self._patience, once=True, progress=lambda: self._show(sender))
            if sender.work():
                remove(sender.tail)
                self._say(f"{path} is sent: {_rows(sender.rows)}{_files(sender.files)}")
            else:
                self.live += 1
                self._say(f"{path}: {_rows(sender.rows)}{_files(sender.files)} sent; its program still runs")
        except (NotASpool, NoServer, CutOff, OSError) as error:
            self.unsent += 1
            self._say(f"{path} could not be sent: {error}")
        except Refused as refusal:
            self.unsent += 1
            note(path, str(refusal), aloud=False)
            self._say(f"{path} was refused: {refusal}")
        finally:
            if lock >= 0:
                os.close(lock)
            if sender:
                sender.tail.close()
                self.rows += sender.rows
                self.files += sender.files
                self.bytes += sender.bytes

    def _show(self, sender: Optional[Sender]) -> None:
        """How far it is, on a terminal."""
        now = time.monotonic()
        if sender is None or not sys.stderr.isatty() or now < self._next_show:
            return
        self._next_show, self._shown = now + EVERY, True
        part = 100 * sender.tail.position // max(1, sender.tail.size)
        name = os.path.basename(sender.tail.directory)
        line = f"martlet: {name}: {part} % of {_size(sender.tail.size)}, {_rows(sender.rows)}{_files(sender.files)}"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def _say(self, message: str) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
        print(f"martlet: {message}", flush=True)

    def _sum_up(self) -> None:
        if self.spools:
            unsent = f"; {_count(self.unsent, 'spool')} could not be sent" if self.unsent else ""
            live = f"; {_count(self.live, 'program')} still writing" if self.live else ""
            total = f"{_rows(self.rows)}{_files(self.files)}, {_size(self.bytes)}"
            self._say(f"{_count(self.spools, 'spool')}: {total} sent{unsent}{live}")


def spools_in(place: str) -> Iterator[str]:
    """The spools in a directory and below it, or the one that is named."""
    if place.endswith(".spool") and os.path.isfile(place):
        yield place
    for parent, folders, files in os.walk(place):
        folders.sort()
        for file in sorted(files):
            if file.endswith(".spool"):
                yield os.path.join(parent, file)


def _environment_for(path: str) -> dict[str, str]:
    """What names the server: MARTLET_URL; else the one that the run is on. A local one may have another port by now,
    so it is looked up."""
    tail = Tail(path)
    url = "" if os.environ.get("MARTLET_URL") else tail.url or ""
    tail.close()
    host = urlsplit(url).hostname or ""
    here = host in ("", "localhost", "::1") or host.startswith("127.")
    found = find() if here else find({**os.environ, "MARTLET_URL": url})
    return {**os.environ, **found.environment()}


def _rows(count: int) -> str:
    return _count(count, "row")


def _files(count: int) -> str:
    return f" and {_count(count, 'file')}" if count else ""


def _count(count: int, of: str) -> str:
    return f"{count:,} {of}{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
