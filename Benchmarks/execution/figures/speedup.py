"""How much sooner a sweep is done when trials run at the same time: those that wait, and those that compute. Against
the same sweep one at a time, and against a loop of the shell, which has nobody to keep its books."""

from __future__ import annotations

import os
import subprocess
import sys
import time

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
LOOP = "loop"


def measure(options: Options, report: Report, scratch: str) -> None:
    sleeping = ["sleep", str(options.seconds)]
    computing = [sys.executable, "-IS", "-c", f"n = 0\nfor i in range({LOOPS}): n += i * i"]
    with Server(options.martlet, scratch, ["--devices", str(DEVICES)]) as server:
        for repetition in range(options.repetitions):
            for kind, command, widths in (
                ("sleep", sleeping, WIDTHS),
                ("compute", computing, COMPUTING_WIDTHS),
            ):
                with report.cell(f"speed-up, {kind}, a loop of the shell, repetition {repetition + 1}"):
                    report.add(SECTION, {"kind": kind, "width": LOOP, "wall": loop(command)})
                for width in widths:
                    with report.cell(f"speed-up, {kind}, {width} at a time, repetition {repetition + 1}"):
                        cost = server.sweep(command, TRIALS, width, resources={"gpus": 1})
                        record = {"kind": kind, "width": str(width), "wall": cost.wall, "cpu": cost.cpu}
                        report.add(SECTION, record)
    show(options, report)


def loop(command: list[str]) -> float:
    """Seconds that a shell takes for all trials, one after the other."""
    script = f'for n in $(seq {TRIALS}); do "$@" || exit; done'
    began = time.monotonic()
    subprocess.run(["sh", "-c", script, "sh", *command], check=True)
    return time.monotonic() - began


def show(options: Options, report: Report) -> None:
    records = medians(report.records(SECTION), ("kind", "width"))
    for record in records:
        for key, against in (("speedup", LOOP), ("alone", "1")):
            base = find(records, kind=record["kind"], width=against)
            record[key] = ratio(base["wall"], record["wall"]) if base else None
    report.title(
        f"speed-up: {TRIALS} trials, a device each, against a loop of the shell",
        f"sleep: {options.seconds:g} s each. compute: Python alone, on {os.cpu_count()} cores, which are its bound.",
    )
    report.table(
        [
            Column("trials", "kind"),
            Column("at a time", "width"),
            Column("seconds", "wall"),
            Column("CPU s", "cpu"),
            Column("× the loop", "speedup"),
            Column("× one at a time", "alone"),
        ],
        records,
    )
    for width in WIDTHS[1:]:
        found = find(records, kind="sleep", width=str(width))
        report.at_least(
            f"sleeping trials, {width} at a time: times as fast as a loop of the shell",
            found["speedup"] if found else None,
            4.0 if width > 4 else PART_OF_IDEAL * width,
        )
