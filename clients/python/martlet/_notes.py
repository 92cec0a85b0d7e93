"""What a sender leaves beside a spool: that it is the only one, and what the server refused."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import Optional

from martlet._spool import try_lock


def lock_of(path: str) -> Optional[int]:
    """The lock that makes us the only sender of `path`, as a descriptor to keep; None when another one has it.

    Where no lock can be made (a read-only or full disk), two senders would be harmless: -1.
    """
    try:
        only = os.open(path.removesuffix(".spool") + ".sender", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    if try_lock(only, fcntl.LOCK_EX) is False:
        os.close(only)
        return None
    with contextlib.suppress(OSError):  # whoever asks who is at it reads the number there
        os.ftruncate(only, 0)
        os.write(only, b"%d\n" % os.getpid())
    return only


def note(path: str, message: str, aloud: bool = True) -> None:
    """Keeps what was refused beside the spool, where the client looks for it at its end."""
    if aloud:
        print(f"martlet: {path}: {message}", file=sys.stderr)
    with contextlib.suppress(OSError), open(path.removesuffix(".spool") + ".error", "a", encoding="utf-8") as file:
        file.write(message.rstrip() + "\n")
