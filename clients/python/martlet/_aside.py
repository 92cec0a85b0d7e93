"""What the sender sends besides rows: the program's output, what the observer saw, files and alerts.

Rows are worth more than any of it. What the server refuses here is noted once and left out.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional, Protocol, TypeVar
from urllib.parse import quote, urlencode

from martlet._connection import Connection, Refused
from martlet._console_tail import ConsoleTail, Piece
from martlet._notes import note
from martlet._observer import Observer, lines_of
from martlet._tail import Batch, Tail
from martlet._upload import Blobs, Lost

READ = 256 << 10  # bytes of the journal at a time
PLAIN = {"Content-Type": "application/octet-stream"}
SAMPLES = {"Content-Type": "application/x-ndjson"}
LEAVING = 1.0  # seconds that a sender that was asked to leave gives its observer

STUCK = 30.0  # seconds without a new line or byte, after which an observer is given up: a device that hangs, say

T = TypeVar("T")


class CutOff(Exception):
    """We were told to go, or nobody answered for too long: the spool keeps the rest."""


class Carrier(Protocol):
    """What a Sender gives: one request, repeated until there is an answer."""

    leaving: bool

    def until(self, attempt: Callable[[Connection], T]) -> T: ...

    def between(self) -> None: ...

    def tell(self, changes: Mapping[str, Any]) -> None: ...

    def send_blob(self, server: Connection, name: str) -> int: ...


class Aside:
    """One spool's. `run` is the path of its run."""

    def __init__(self, tail: Tail, carrier: Carrier, run: str, *, once: bool) -> None:
        self._tail = tail
        self._carrier = carrier
        self._run = run
        self._once = once
        self._stem = tail.path.removesuffix(".spool")
        self._console: Optional[ConsoleTail] = ConsoleTail(self._stem, tail.beside.get("console"))
        self._seen_at: int = tail.beside.get("seen", 0)
        self._blobs = Blobs(tail.directory)
        self._observer: Optional[Observer] = None
        self._no_samples = self._again = False
        self.files = 0  # that were sent
        self.bytes = 0

    def observe(self, alive: bool) -> None:
        """Looks after what the program wants kept, as soon as it wants any. While a program runs that is kept offline,
        its own keeper does."""
        if self._observer is None and (not self._once or not alive) and os.path.exists(self._stem + ".wanted"):
            self._observer = Observer(self._tail.path)
            self._observer.start()

    def grown(self) -> bool:
        """There is more to send, perhaps."""
        if self._console is not None and self._console.grown():
            return True
        try:
            return os.stat(self._stem + ".seen").st_size > self._seen_at
        except OSError:
            return False

    @property
    def behind(self) -> bool:
        """So much output waits that a pause would let it grow."""
        return self._console is not None and self._console.behind

    def mark(self) -> tuple[int, tuple[int, int]]:
        """Where what is there by now ends."""
        seen = 0
        with contextlib.suppress(OSError):
            seen = os.stat(self._stem + ".seen").st_size
        return seen, self._console.mark() if self._console is not None else (-1, 0)

    def reached(self, mark: tuple[int, tuple[int, int]]) -> bool:
        """All up to there is sent."""
        return self._seen_at >= mark[0] and (self._console is None or self._console.reached(mark[1]))

    def tell(self, batch: Batch) -> None:
        """The files and alerts that stand among the rows."""
        for name, file in batch.files.items():
            self._file(name, file)
        for alert in batch.alerts:
            self._try(lambda server, alert=alert: server.request("POST", f"{self._run}/alerts", alert))  # type: ignore[misc]

    def send(self) -> bool:
        """One piece of each; False when there was nothing."""
        sent = self._send_seen()
        return self._send_console() or sent

    def finish(self) -> None:
        """All of it, and what is still to be seen. Raises CutOff."""
        self.observe(alive=False)
        observer, given = self._observer, time.monotonic()
        if observer:
            observer.finish()
            seen, since = self._progress(), given
            while not observer.ended.wait(0.02):
                now = time.monotonic()
                if self._carrier.leaving and now > given + LEAVING:
                    raise CutOff("asked to leave")
                if not self._carrier.leaving:
                    self._carrier.between()
                self.send()
                if now > since + STUCK and self._progress() != seen:
                    seen, since = self._progress(), now
                elif now > since + STUCK:
                    note(self._tail.path, "a device or a disk does not answer: files of the run's end may be missing")
                    break
        while self.send():
            if not self._carrier.leaving:
                self._carrier.between()
        self._tail.acknowledge()

    def _progress(self) -> tuple[int, int]:
        """Of whichever process observes: bytes of its journal, and of the copies that it is just making."""
        journal = copies = 0
        with contextlib.suppress(OSError):
            journal = os.stat(self._stem + ".seen").st_size
        with contextlib.suppress(OSError), os.scandir(self._blobs.path("")) as entries:
            copies = sum(entry.stat().st_size for entry in entries if entry.name.endswith(".part"))
        return journal, copies

    # -- The journal ------------------------------------------------------------------------------------------

    def _send_seen(self) -> bool:
        lines, _ = lines_of(self._stem + ".seen", self._seen_at, READ)
        samples: list[dict[str, Any]] = []
        for line, end in lines:
            if "sample" in line:
                samples.append(line["sample"])
            else:
                self._send_line(line)
            self._seen_at = end
        if samples and not self._no_samples:
            self._send_samples(samples)
        self._tail.beside["seen"] = self._seen_at
        return bool(lines)

    def _send_line(self, line: Mapping[str, Any]) -> None:
        if "patch" in line:
            self._carrier.tell(line["patch"])
        elif "file" in line:
            self._file(line["file"]["path"], line["file"])
        elif "error" in line:
            note(self._tail.path, str(line["error"]))

    def _send_samples(self, samples: list[dict[str, Any]]) -> None:
        import json

        body = "".join(json.dumps(sample) + "\n" for sample in samples).encode()
        path = f"{self._run}/system?client={self._tail.client}"
        self._no_samples = not self._try(lambda server: server.exchange("POST", path, body, SAMPLES))

    def _file(self, name: str, file: Mapping[str, Any]) -> None:
        blob = str(file["sha256"])
        try:
            sent = self._carrier.until(lambda server: self._carrier.send_blob(server, blob))
        except Refused as refusal:
            note(self._tail.path, f"the file {name} was refused and is kept in {self._blobs.path(blob)}: {refusal}")
            return
        except Lost:
            # It was sent before, and told: whoever was killed then had no time to note it.
            sent = 0
        self.files += sent > 0
        self.bytes += sent
        path = f"{self._run}/files?{urlencode({'path': name}, quote_via=quote)}"
        if self._try(lambda server: server.request("PUT", path, {"sha256": blob})):
            self._blobs.forget(blob)

    # -- The program's output ---------------------------------------------------------------------------------

    def _send_console(self) -> bool:
        console = self._console
        if console is None:
            return False
        pieces, token = console.read()
        for piece in pieces:
            if not self._try(lambda server, piece=piece: self._post(server, piece)):  # type: ignore[misc]
                self._console = None  # a server that keeps no output: what there is goes with the spool
                return False
            if self._again:
                self._again = False
                return True
            self.bytes += len(piece.data)
        console.delivered(token)
        if console.state:
            self._tail.beside["console"] = console.state
        if pieces or console.passed:
            self._tail.acknowledge()
            console.forget()
        return bool(pieces)

    def _post(self, server: Connection, piece: Piece) -> None:
        try:
            server.exchange("POST", self._path_of(piece), piece.data, PLAIN)
        except Refused as refusal:
            size = refusal.details.get("size")
            if refusal.status != 409 or type(size) is not int or not 0 <= size < piece.offset or not self._console:
                raise
            # The server was restored from a backup: what is missing is gone here as well, and it goes on behind it.
            self._console.expects(piece.stream, size)
            self._again = True

    def _path_of(self, piece: Piece) -> str:
        asked = {
            "client": self._tail.client,
            "stream": piece.stream,
            "offset": str(piece.offset),
            "time": str(piece.time),
        }
        return f"{self._run}/logs?{urlencode(asked)}"

    def _try(self, attempt: Callable[[Connection], Any]) -> bool:
        """False when the server refuses. One that does not know the route (404, 405) is older than we are, and no word
        is lost on it; a run that is gone the rows find out."""
        try:
            self._carrier.until(attempt)
        except Refused as refusal:
            if refusal.status not in (401, 404, 405):
                note(self._tail.path, str(refusal))
            return False
        return True
