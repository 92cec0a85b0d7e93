"""A client's care for its sender: started, started again when it was killed, and waited for at the end."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time

from martlet._launch import DELIVERED, KEEPER, REFUSED, Sender, launch
from martlet._place import Place
from martlet._spool import Spool

FINISH_TIMEOUT = 30.0  # seconds
LONGEST_TIMEOUT = 2e6  # seconds: poll() counts milliseconds in 32 bits
SENDERS = 3  # more at the end of a program: who kills them all means it


class Delivery:
    """One spool's sender, if it has one."""

    def __init__(self, spool: Spool, place: Place) -> None:
        self._spool = spool
        self._place = place
        self._sender: Sender | None = None
        self._warned = self._observed = False
        self._start()

    def look_after(self) -> None:
        """A sender that was killed, or could not be started, leaves the spool to a new one. One that was refused does
        not."""
        if self._sender is None or (self._sender.ended() and self._sender.verdict != REFUSED):
            self._start()

    def observe(self) -> None:
        """There is something to look after: the sender does, or where there is none, a process of its own."""
        if self._place.credentials is None and not self._observed:
            self._observed = True
            try:
                launch([KEEPER, self._spool.path], {})
            except Exception as error:
                warn(f"what the run runs in is not looked up: {error}")

    def wait(self) -> None:
        """At the end: until everything is delivered, or the time is over; says what is left, and where."""
        if self._sender is None:
            self._start()
        if self._sender is None:
            if self._place.outside:
                warn(f"the run is kept in {self._place.spool}; `{self._sync}` sends it")
            return
        deadline = time.monotonic() + _finish_timeout()
        ended = self._sender.ended(deadline - time.monotonic())
        for _ in range(SENDERS):  # one that was cut off is followed by another for the rest
            if not ended or self._sender.verdict in (DELIVERED, REFUSED):
                break
            self._start()
            if self._sender is None:
                return  # why, and where the points are, is said
            ended = self._sender.ended(deadline - time.monotonic())
        self._say_refusals()
        if self._sender.verdict != DELIVERED:
            if not self._place.outside:
                later = "the server reads them when the attempt ends"
            else:
                later = f"`{self._sync}` sends them" if ended else "the sender goes on trying"
            total = self._spool.seq
            left = total - self._acknowledged()
            warn(f"{left} of {total} rows are not with the server yet: they are kept in {self._spool.path}; {later}")
        self.forget()

    def forget(self) -> None:
        """The sender goes on by itself."""
        if self._sender:
            self._sender.forget()
            self._sender = None

    def _start(self) -> None:
        self.forget()
        if self._place.credentials is None:
            return
        try:
            self._sender = Sender(self._spool.path, self._place.credentials)
        except Exception as error:
            if not self._warned:
                warn(f"no sender could be started ({error}); the points are kept in {self._spool.path}")
            self._warned = True

    @property
    def _sync(self) -> str:
        return f"{shlex.quote(sys.executable or 'python3')} -m martlet sync {shlex.quote(self._place.spool)}"

    def _beside(self, suffix: str) -> str:
        return os.path.join(self._place.spool, self._spool.client + suffix)

    def _say_refusals(self) -> None:
        try:
            with open(self._beside(".error"), encoding="utf-8") as file:
                for line in file:
                    warn(line.rstrip())
        except OSError:
            return  # nothing was refused, or nobody can read it

    def _acknowledged(self) -> int:
        try:
            with open(self._beside(".ack"), encoding="utf-8") as file:
                return int(json.load(file)["next_seq"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def warn(message: str) -> None:
    """One line on stderr, wherever that leads."""
    try:
        if sys.stderr is not None:  # else print would take stdout, which is the program's
            print(f"martlet: {message}", file=sys.stderr, flush=True)
    except Exception:
        return  # stderr is closed, or we are a signal handler that interrupted a print: there is nobody to tell


def _finish_timeout() -> float:
    text = os.environ.get("MARTLET_FINISH_TIMEOUT", "")
    try:
        seconds = float(text) if text else FINISH_TIMEOUT
        return min(max(int(seconds * 1000) / 1000, 0), LONGEST_TIMEOUT)
    except (ValueError, OverflowError):
        warn(f"MARTLET_FINISH_TIMEOUT is '{text}', not a number of seconds; {FINISH_TIMEOUT:.0f} are used")
        return FINISH_TIMEOUT
