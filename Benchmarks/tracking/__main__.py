"""Goes through the sections that are wanted, each in a scratch directory that is removed."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from typing import Any

from tracking import options, processes
from tracking.figures import aged, alone, calls, idle, ingest, live, queries, runs, size, soak
from tracking.report import Report

MEASURES = {
    "ingest": ingest.measure,
    "alone": alone.measure,
    "size": size.measure,
    "log": calls.measure,
    "queries": queries.measure,
    "runs": runs.measure,
    "live": live.measure,
    "idle": idle.measure,
    "aged": aged.measure,
    "soak": soak.measure,
}


def main() -> int:
    wanted = options.from_environment()
    if not wanted.martlet.exists():
        sys.exit(f"bench-tracking: there is no {wanted.martlet}: run `make build` first")
    signal.signal(signal.SIGTERM, leave)
    processes.adopt_orphans()
    report = Report(wanted)
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
