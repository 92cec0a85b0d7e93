"""The observer of a run that is kept offline: `python3 -IS _keeper.py SPOOL`, gone soon after its program."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

if not __package__:  # as a file, with nothing but the standard library on the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from martlet._observer import Observer
from martlet._tail import NotASpool


def main(path: str) -> None:
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)  # the terminal's signals are meant for the program
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    with contextlib.suppress(OSError, NotASpool):  # somebody removed it
        Observer(path).run()


if __name__ == "__main__":
    main(sys.argv[1])
