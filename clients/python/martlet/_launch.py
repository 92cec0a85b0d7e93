"""Starts the sender: a process of its own that outlives the trainer and is no child of it."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Mapping
from typing import Optional

from martlet._credentials import Credentials

SENDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_sender.py")
KEEPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_keeper.py")

DELIVERED, REFUSED = (
    b".",
    b"!",
)  # what a sender says on its way out; the end of the pipe alone means that it was cut off


def launch(program: list[str], environment: Mapping[str, str], descriptors: tuple[int, ...] = ()) -> None:
    """Starts one of the client's own programs. Raises OSError or a subprocess's error."""
    import subprocess  # here, since a trainer whose run is disabled never needs it

    if not sys.executable:
        raise OSError("this Python does not know its own executable, so it can start no sender")
    # Inherited by the sender, which hears of a SIGTERM as soon as it can handle it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        # Through a shell that leaves at once: the sender is then nobody's child, and a session of its own keeps the
        # terminal's Ctrl-C from it.
        subprocess.run(
            ["/bin/sh", "-c", '"$@" >/dev/null 2>&1 </dev/null &', "sh", sys.executable, "-IS", *program],
            env={**os.environ, **environment},
            pass_fds=descriptors,
            start_new_session=True,
            cwd="/",
            check=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Sender:
    """The trainer's view of its sender: a pipe whose other end only the sender holds."""

    def __init__(self, spool: str, credentials: Credentials) -> None:
        reading, writing = os.pipe()
        try:
            launch([SENDER, spool, str(writing)], credentials.environment(), (writing,))
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._pipe = reading
        self.verdict: Optional[bytes] = None  # DELIVERED, REFUSED, or b"" for a sender that ended without a word

    def ended(self, seconds: float = 0) -> bool:
        """Waits so long for the sender's end."""
        if self.verdict is None:
            poll = select.poll()  # not select(): a trainer may have thousands of files open
            poll.register(self._pipe, select.POLLIN | select.POLLHUP)
            if poll.poll(max(0, int(seconds * 1000))):
                self.verdict = os.read(self._pipe, 1)
        return self.verdict is not None

    def forget(self) -> None:
        """Closes our end; the sender goes on."""
        pipe, self._pipe = self._pipe, -1
        if pipe >= 0:
            os.close(pipe)
            self.verdict = self.verdict or b""
