"""How a benchmark begins, goes through its sections, and ends."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, NoReturn

from tracking.report import Report


def check(martlet: Path, benchmark: str) -> None:
    """Ends the program where there is nothing to measure."""
    if not os.access(martlet, os.X_OK):
        sys.exit(f"{benchmark}: there is no {martlet}: run `make build` first")


def measure(report: Report, known: Iterable[str], wanted: Iterable[str], section: Callable[[str], None]) -> None:
    """The wanted sections in the order in which they are known. One that fails is told, and the others go on."""
    chosen = frozenset(wanted)
    for name in known:
        if name in chosen:
            with report.cell(name):
                section(name)


@contextmanager
def scratch() -> Iterator[str]:
    """A folder that is removed in the end."""
    folder = tempfile.mkdtemp(prefix="martlet-bench-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(main: Callable[[], int]) -> NoReturn:
    """Ends with the status of `main`. SIGTERM is as good as Ctrl-C: what was started is ended, scratch removed."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _leave(*_: Any) -> None:
    raise KeyboardInterrupt
