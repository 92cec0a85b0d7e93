"""The sender: tails one spool and sends it, whatever becomes of the trainer, the server, or an earlier sender.

Started by the client as `python3 -IS _sender.py SPOOL [FD]`, with MARTLET_URL (or MARTLET_DATA) and MARTLET_TOKEN in
its environment; FD is a pipe to the trainer that takes one byte at the end (see _launch). It may be killed and started
again at any moment: docs/spool.md says why nothing is lost or sent twice.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Callable, Optional, TypeVar

if not __package__:  # as a file, with nothing but the standard library on the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from martlet._aside import Aside, CutOff
from martlet._connection import Connection, Refused, Unreachable
from martlet._create import create
from martlet._credentials import NoServer, elsewhere, find
from martlet._launch import DELIVERED, REFUSED
from martlet._notes import lock_of, note
from martlet._tail import Batch, Tail
from martlet._upload import Blobs, Lost

LOOK = 0.05  # seconds between two looks at the spool
GATHER = 0.25  # seconds between two batches of a trainer that logs all the time
HEARTBEAT = 15.0  # seconds, unless MARTLET_HEARTBEAT says otherwise
DRAIN = 3.0  # seconds that SIGTERM leaves us
PATIENCE = 24 * 3600.0  # seconds without an answer, the trainer being gone, after which the rest is left to `sync`
SLOWEST = 2.0  # seconds between two tries, at most
GONE = (401, 404)  # no token, or no run, any more: nothing that we could send will be taken

T = TypeVar("T")


class Sender:
    """One spool's way to the server. `patience`: seconds without an answer after which it gives up, once the client
    is gone; with `once`, also while it lives, and it leaves as soon as it has sent what is there by now."""

    def __init__(
        self,
        path: str,
        environ: Mapping[str, str],
        *,
        patience: float = PATIENCE,
        once: bool = False,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.tail = Tail(path)
        self.leaving = False
        self.rows = self.files = self.bytes = 0  # what was sent; blobs count as files
        self._patience = patience
        self._once = once
        self._progress = progress
        self._blobs = Blobs(self.tail.directory)
        self._signs: Optional[Connection] = None  # of life, while the other connection is busy with a large blob
        self._rewound_to = -1
        self._environ = environ
        self._connection: Optional[Connection] = None
        self._failures = 0
        self._run: Optional[str] = self.tail.run
        self._aside: Optional[Aside] = None
        self._stop_asked = False
        self._heartbeat_every = _seconds(environ.get("MARTLET_HEARTBEAT"))
        self._next_heartbeat = time.monotonic() + self._heartbeat_every
        self._next_batch = 0.0

    def work(self) -> bool:
        """True when everything is delivered; False with `once`, when the client goes on. Raises Refused, or CutOff."""
        if self._run is None:
            self._create()
        aside = self._aside = Aside(self.tail, self, f"/runs/{self._run}", once=self._once)
        mark = aside.mark()
        while True:
            # Both asked before the last look at the file, never after.
            alive = self.tail.client_lives()
            leaving = self.leaving
            batch = self.tail.read()
            aside.observe(alive)
            arrived = self._upload(batch)
            if batch.patch:
                self.tell(batch.patch)
            aside.tell(batch)
            if batch.rows and self._deliver(batch):
                for blob in arrived:
                    self._blobs.forget(blob)
            beside = aside.send()
            self.tail.acknowledge()
            self._progress()
            if self.tail.ended or (not alive and batch.complete):
                break
            if leaving and batch.complete:
                raise CutOff("asked to leave")
            if alive and time.monotonic() >= self._next_heartbeat:
                self._heartbeat()
            if batch.complete and self._once and (not beside or aside.reached(mark)):
                self._sum_up()
                return False
            if batch.complete and not self._once and not (beside and aside.behind):
                self._pause(aside, bool(batch.rows or beside))
        aside.finish()
        self._sum_up()
        self._finish()
        return True

    def _sum_up(self) -> None:
        if self._aside:
            self.files += self._aside.files
            self.bytes += self._aside.bytes

    def _pause(self, aside: Aside, busy: bool) -> None:
        if busy:
            self._next_batch = time.monotonic() + GATHER
        while not self.leaving:
            time.sleep(LOOK)
            now = time.monotonic()
            if now >= self._next_batch and (self.tail.grown() or aside.grown()):
                return
            if now >= self._next_heartbeat or not self.tail.client_lives():
                return

    def _create(self) -> None:
        """A spool that was kept offline: its run is made now, and noted, so that it is made once."""
        self._run = self.tail.created_run()
        if self._run is None:
            answer = create(self.tail.first, self._request)
            if not isinstance(answer.get("id"), str):
                raise CutOff("what answers is no Martlet server")
            self._run = str(answer["id"])
            try:
                self.tail.note_created_run(self._run, self._connection.url if self._connection else "")
            except OSError as error:
                note(self.tail.path, f"run {self._run} was made for this spool, which could not be noted: {error}")

    def _upload(self, batch: Batch) -> list[str]:
        """The files that the rows name, before the rows. Returns those that the server has now."""
        arrived = []
        for blob in batch.blobs:
            try:
                sent = self.until(lambda server, name=blob: self.send_blob(server, name))  # type: ignore[misc]
            except Refused as refusal:
                if refusal.status in GONE:
                    raise
                # The points are worth more: they go on.
                kept = self._blobs.path(blob)
                note(self.tail.path, f"the file {blob} was refused and is kept in {kept}: {refusal}")
            except Lost as loss:
                note(self.tail.path, str(loss))
            else:
                self.files += sent > 0
                self.bytes += sent
                arrived.append(blob)
        return arrived

    def send_blob(self, server: Connection, name: str) -> int:
        """Brings one blob to the server; returns how many bytes went."""
        return self._blobs.send(name, str(self._run), server, self.between)

    def between(self) -> None:
        """In the midst of a large upload."""
        if self.leaving:
            raise CutOff("asked to leave")
        if time.monotonic() >= self._next_heartbeat:
            if self._signs is None:
                self._signs = self._connect()
            self._heartbeat(self._signs)

    def tell(self, changes: Mapping[str, Any]) -> None:
        """Changes the run's fields."""
        try:
            self._request("PATCH", f"/runs/{self._run}", changes)
        except Refused as refusal:
            if refusal.status in GONE:
                raise
            if len(changes) > 1:  # one wrong field keeps no other back
                for key, value in changes.items():
                    self.tell({key: value})
            else:
                note(self.tail.path, str(refusal))  # the points are worth more: they go on

    def _deliver(self, batch: Batch) -> bool:
        """False when the server wants earlier rows, which are read again."""
        path = f"/runs/{self._run}/log?client={self.tail.client}"
        try:
            self.until(lambda server: self._post(server, path, batch.body))
        except Refused as refusal:
            wanted = refusal.details.get("next_seq")
            # Only a server that has less than we sent asks for more: the spool still has it.
            if refusal.status != 409 or type(wanted) is not int or not 0 <= wanted < batch.first_seq:
                raise
            if wanted == self._rewound_to:  # it was asked for before, and the spool does not have it
                raise
            self._rewound_to = wanted
            self.tail.rewind(wanted)
            batch.complete = False
            return False
        self._rewound_to = -1
        self.rows += batch.rows
        self.bytes += len(batch.body)
        self.tail.delivered(batch)
        return True

    def _post(self, server: Connection, path: str, piece: bytes) -> None:
        if type(server.post_rows(path, piece).get("next_seq")) is not int:
            raise Unreachable(f"what answers at {server.url} is no Martlet server")

    def _heartbeat(self, connection: Optional[Connection] = None) -> None:
        self._next_heartbeat = time.monotonic() + self._heartbeat_every
        try:
            answer = (connection or self._server()).request("POST", f"/runs/{self._run}/heartbeat", {})
        except Unreachable:
            if connection is None:
                self._failed()  # the next batch or heartbeat tries again
            return
        except Refused as refusal:
            if refusal.status in GONE:
                raise
            note(self.tail.path, str(refusal))
            self._next_heartbeat = math.inf
            return
        if answer.get("stop_requested") is True and not self._stop_asked and self.tail.outside:
            self._stop_asked = True
            self.tail.ask_to_stop()

    def _finish(self) -> None:
        """Says how a run from outside ended. In an attempt the process's own end counts, and only a reason is added."""
        end = {key: value for key, value in self.tail.end.items() if value is not None}
        if not self.tail.outside:
            if end.get("reason"):
                self._request("POST", f"/runs/{self._run}/finish", {"reason": end["reason"]})
            return
        if not self.tail.finishes or self.tail.succeeded():
            return
        if not self.tail.ended and self._stop_asked:
            end = {"state": "stopped", "reason": "It was asked to stop."}
        elif not self.tail.ended:
            end = {
                "state": "crashed",
                "reason": "The program vanished: killed, out of memory, or its machine went down.",
            }
        elif self._stop_asked and end.get("exit_code"):
            end["state"] = "stopped"
        elif "state" not in end:
            end["state"] = "failed" if end.get("exit_code") else "finished"
        self._request("POST", f"/runs/{self._run}/finish", end)

    def _request(self, method: str, path: str, body: Any) -> dict[str, Any]:
        return self.until(lambda server: server.request(method, path, body))

    def until(self, attempt: Callable[[Connection], T]) -> T:
        """Tries until there is an answer. Raises Refused, or CutOff when there is no more time."""
        wait, since = LOOK, time.monotonic()
        while True:
            try:
                return attempt(self._server())
            except Unreachable as failure:
                self._failed()
                wait = min(max(wait * 2, failure.retry_after), max(SLOWEST, failure.retry_after))
                until = time.monotonic() + wait
                while time.monotonic() < until:
                    if self.leaving:
                        raise CutOff("asked to leave") from failure
                    time.sleep(LOOK)
                waited = time.monotonic() - since
                if waited > self._patience and (self._once or not self.tail.client_lives()):
                    raise CutOff(f"no answer for {_time_in_words(waited)}; the last failure: {failure}") from failure

    def _server(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        try:
            credentials = find(self._environ)
        except NoServer as nowhere:
            raise Unreachable(str(nowhere)) from nowhere
        if self._failures % 2:
            credentials = elsewhere(credentials, self._environ)
        return Connection(credentials.url, credentials.token)

    def _failed(self) -> None:
        """The next request opens a new connection: by turns to where the server was and to where it may be now."""
        self._connection = None
        self._failures += 1


def main(path: str, status: Optional[int] = None) -> int:
    """Sends `path`; 0 when everything is delivered, 1 when the rest stays in the spool, 2 when it was refused."""
    if lock_of(path) is None:
        return 1  # another one is at it
    if not os.path.exists(path):  # another one has just been done with it
        with contextlib.suppress(OSError):
            os.unlink(path.removesuffix(".spool") + ".sender")
        return 0
    verdict, code = b"", 1
    try:
        sender = Sender(path, os.environ)
        _listen(sender)
        sender.work()
        remove(sender.tail)
        verdict, code = DELIVERED, 0
    except CutOff as cut:
        print(f"martlet: {path}: {cut}", file=sys.stderr)
    except Refused as refusal:
        note(path, str(refusal))
        verdict, code = REFUSED, 2
    except Exception:
        note(path, "the sender met what it does not know: " + traceback.format_exc())
        verdict, code = REFUSED, 2
    if status is not None and verdict:
        with contextlib.suppress(OSError):  # the trainer is gone, or no longer waits
            os.write(status, verdict)
    return code


def remove(tail: Tail) -> None:
    """Everything is with the server. What cannot be removed (a read-only disk) may be sent again: it is kept once."""
    try:
        tail.remove()
    except OSError as error:
        print(f"martlet: {tail.path} is sent, but cannot be removed: {error}", file=sys.stderr)


def _listen(sender: Sender) -> None:
    """SIGTERM: what is there is sent within DRAIN seconds. The terminal's signals are meant for the trainer."""

    def leave(*_: Any) -> None:
        sender.leaving = True
        signal.setitimer(signal.ITIMER_REAL, DRAIN)

    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(1))  # however deep in a request we are
    signal.signal(signal.SIGTERM, leave)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # blocked until here by whoever started us


def _seconds(text: Optional[str]) -> float:
    """A variable that makes no sense stops no rows."""
    try:
        seconds = float(text or HEARTBEAT)
    except ValueError:
        return HEARTBEAT
    return seconds if 0 < seconds < math.inf else HEARTBEAT


def _time_in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 7200 else f"{seconds / 3600:.0f} hours"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None))
