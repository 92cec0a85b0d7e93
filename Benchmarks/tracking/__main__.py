"""Goes through the sections that are wanted, each in a scratch directory that is removed."""

from __future__ import annotations

from harness import program

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
    program.check(wanted.martlet, options.NAME)
    processes.adopt_orphans()
    report = Report(wanted, options.NAME)
    with program.scratch() as scratch:
        program.measure(report, options.SECTIONS, wanted.sections, lambda name: MEASURES[name](wanted, report, scratch))
    return report.close()


if __name__ == "__main__":
    program.run(main)
