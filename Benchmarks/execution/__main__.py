"""Goes through the sections that are wanted, in a scratch directory that is removed at the end."""

from __future__ import annotations

from harness import program
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
    program.check(wanted.martlet, options.NAME)
    processes.adopt_orphans()
    report = Report(wanted, options.NAME)
    with program.scratch() as scratch:
        program.measure(report, options.SECTIONS, wanted.sections, lambda name: MEASURES[name](wanted, report, scratch))
    return report.close()


if __name__ == "__main__":
    program.run(main)
