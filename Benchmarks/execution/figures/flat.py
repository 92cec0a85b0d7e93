"""Whether the thousandth trial costs what the first did: sweeps of growing size, a server each."""

from __future__ import annotations

from tracking.report import Column, Report, find, medians, ratio

from execution.options import Options
from execution.server import Server
from execution.systems.base import COMMAND

SECTION = "flat"
PARALLEL = 2
WALL = 1.25  # times the smallest sweep's wall time per trial
MEMORY = 1.5  # times its server's memory
FIXED = 100  # trials below which a sweep's own start weighs


def measure(options: Options, report: Report, scratch: str) -> None:
    for repetition in range(options.repetitions):
        for trials in options.sizes:
            if repetition and trials > 1_000:
                continue  # its own length evens it out
            with (
                report.cell(f"flat, {trials} trials, repetition {repetition + 1}"),
                Server(options.martlet, scratch) as server,
            ):
                # What every server does once is not part of it.
                server.sweep([COMMAND], FIXED, PARALLEL)
                first = server.resident
                cost = server.sweep([COMMAND], trials, PARALLEL)
                report.add(
                    SECTION,
                    {
                        "trials": trials,
                        "wall": cost.wall / trials * 1e3,
                        "cpu": cost.cpu / trials * 1e3,
                        "before": first / 1e6,
                        "resident": cost.resident / 1e6,
                    },
                )
    show(options, report)


def show(options: Options, report: Report) -> None:
    records = medians(report.records(SECTION), ("trials",))
    report.title(
        f"flatness: sweeps of {COMMAND}, {PARALLEL} at a time",
        "server MB: resident memory of the server alone, before the sweep and when it has ended.",
    )
    report.table(
        [
            Column("trials", "trials"),
            Column("wall ms per trial", "wall"),
            Column("CPU ms per trial", "cpu"),
            Column("server MB before", "before"),
            Column("after", "resident"),
        ],
        records,
    )
    least, most = min(options.sizes), max(options.sizes)
    small, large = find(records, trials=least), find(records, trials=most)
    for what, key, limit in (("wall time per trial", "wall", WALL), ("server memory", "resident", MEMORY)):
        report.at_most(
            f"{what} in a sweep of {most:,} against one of {least:,}",
            ratio(large[key], small[key]) if small and large else None,
            limit,
        )
