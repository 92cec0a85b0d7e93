"""What an earlier start of a run could not send yet: it comes first, before the run goes on or goes back."""

from __future__ import annotations

import os
import time

from martlet._credentials import Credentials
from martlet._delivery import warn
from martlet._launch import REFUSED, Sender
from martlet._tail import NotASpool, Tail

LOOK = 0.05  # seconds between two looks


def settle(directory: str, run: str, credentials: Credentials, seconds: float) -> bool:
    """Waits, at most so many seconds, until the spools in `directory` of clients of `run` that are gone are sent.

    False when there are none, and nothing has changed.
    """
    paths = [path for path in _spools(directory) if _is_left(path, run)]
    if not paths:
        return False
    deadline = time.monotonic() + seconds
    senders: dict[str, Sender] = {}
    try:
        for path in paths:  # one that has a sender already needs no other
            senders[path] = Sender(path, credentials)
        while paths and time.monotonic() < deadline:
            time.sleep(LOOK)
            paths = [
                path
                for path in paths
                if os.path.exists(path) and not (senders[path].ended() and senders[path].verdict == REFUSED)
            ]
    except Exception as error:
        warn(f"no sender could be started: {error}")
    finally:
        for sender in senders.values():
            sender.forget()
    if paths:
        warn(f"rows of an earlier start of this run are still on their way: they are kept in {directory}")
    return True


def _spools(directory: str) -> list[str]:
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".spool")]
    except OSError:
        return []


def _is_left(path: str, run: str) -> bool:
    try:
        tail = Tail(path)
    except (OSError, NotASpool):
        return False
    try:
        return tail.run == run and not tail.client_lives()
    finally:
        tail.close()
