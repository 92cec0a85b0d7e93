"""Goes through the sections that are wanted, in a scratch directory that is removed at the end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from typing import Any

from tracking import processes
from tracking.report import Report

from execution import options
from execution.figures import flat, overhead, speedup, supervisors

MEASURES = {
    "speedup": speedup.measure,
    "overhead": overhead.measure,
    "flat": flat.measure,
    "supervisors": supervisors.measure,
}


def main() -> int:
    wanted = options.from_environment()
    if not os.access(wanted.martlet, os.X_OK):
        sys.exit(f"{options.NAME}: there is no {wanted.martlet}: run `make build` first")
    signal.signal(signal.SIGTERM, leave)
    processes.adopt_orphans()
    report = Report(wanted, options.NAME)
    scratch = tempfile.mkdtemp(prefix="martlet-bench-")
    try:
        for section in options.SECTIONS:
            if section in wanted.sections:
                with report.cell(section):
                    MEASURES[section](wanted, report, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report.close()


def leave(*_: Any) -> None:
    """As after Ctrl-C: what was started is ended, and nothing stays on the disk."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
