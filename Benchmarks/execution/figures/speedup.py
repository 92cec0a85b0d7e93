"""How much sooner a sweep is done when trials run at the same time: those that wait, and those that compute."""

from __future__ import annotations

import os
import sys

from tracking.report import Column, Report, find, medians, ratio

from execution.options import Options
from execution.server import Server

SECTION = "speedup"
TRIALS = 24  # a multiple of every width
WIDTHS = (1, 2, 3, 4, 8)
DEVICES = 8  # declared; each trial has one
COMPUTING_WIDTHS = (1, 2, 4)
LOOPS = 3_000_000  # of Python: some tenths of a second
PART_OF_IDEAL = 0.95


def measure(options: Options, report: Report, scratch: str) -> None:
    sleeping = ["sleep", str(options.seconds)]
    computing = [sys.executable, "-IS", "-c", f"n = 0\nfor i in range({LOOPS}): n += i * i"]
    with Server(options.martlet, scratch, ["--devices", str(DEVICES)]) as server:
        for repetition in range(options.repetitions):
            for kind, command, widths in (
                ("sleep", sleeping, WIDTHS),
                ("compute", computing, COMPUTING_WIDTHS),
            ):
                for width in widths:
                    with report.cell(f"speed-up, {kind}, {width} at a time, repetition {repetition + 1}"):
                        cost = server.sweep(command, TRIALS, width, resources={"gpus": 1})
                        report.add(SECTION, {"kind": kind, "width": width, "wall": cost.wall, "cpu": cost.cpu})
    show(options, report)


def show(options: Options, report: Report) -> None:
    records = medians(report.records(SECTION), ("kind", "width"))
    for record in records:
        alone = find(records, kind=record["kind"], width=1)
        record["speedup"] = ratio(alone["wall"], record["wall"]) if alone else None
    report.title(
        f"speed-up: {TRIALS} trials, a device each, against the same one at a time",
        f"sleep: {options.seconds:g} s each. compute: Python alone, on {os.cpu_count()} cores, which are its bound.",
    )
    report.table(
        [
            Column("trials", "kind"),
            Column("at a time", "width"),
            Column("seconds", "wall"),
            Column("CPU s", "cpu"),
            Column("times as fast", "speedup"),
        ],
        records,
    )
    for width in WIDTHS[1:]:
        found = find(records, kind="sleep", width=width)
        report.at_least(
            f"sleeping trials, {width} at a time: times as fast",
            found["speedup"] if found else None,
            4.0 if width > 4 else PART_OF_IDEAL * width,
        )
