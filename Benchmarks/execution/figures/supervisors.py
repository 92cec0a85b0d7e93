"""What a supervisor costs: for an attempt from its start to its end, and while its command runs, many at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tracking.processes import process_cpu
from tracking.report import Column, Report, medians

from execution.options import Options
from execution.server import Server

SECTION = "supervisors"
ALONE = "attempts"  # of the JSON file: supervisors without a server
AT_ONCE = 200
SECONDS = 20.0  # that they are watched
PROGRAM = "martlet-supervi"  # as /proc/PID/comm cuts it


class Seen(NamedTuple):
    cpu: float
    resident: int
    proportional: int
    descriptors: int


def measure(options: Options, report: Report, scratch: str) -> None:
    for repetition in range(options.repetitions):
        with (
            report.cell(f"{AT_ONCE} supervisors, repetition {repetition + 1}"),
            Server(options.martlet, scratch) as server,
        ):
            client = server.begin(["sleep", "3600"], AT_ONCE, AT_ONCE)
            deadline = time.monotonic() + 120
            while len(supervisors(server.pid)) < AT_ONCE:
                if server.group.ended(client) is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{len(supervisors(server.pid))} of {AT_ONCE} trials run")
                time.sleep(0.2)
            time.sleep(3)  # what is done at the start is done
            found = supervisors(server.pid)
            before = {pid: look(pid) for pid in found}
            began, server_before = time.monotonic(), process_cpu(server.pid)
            time.sleep(SECONDS)
            seconds, server_after = time.monotonic() - began, process_cpu(server.pid)
            after = {pid: look(pid) for pid in found}
            report.add(
                SECTION,
                {
                    "count": len(found),
                    "start": sum(seen.cpu for seen in before.values()) / len(found) * 1e3,
                    "cpu": sum(after[pid].cpu - before[pid].cpu for pid in found) / len(found) / seconds * 1e3,
                    "resident": max(seen.resident for seen in after.values()) / 1e3,
                    "proportional": sum(seen.proportional for seen in after.values()) / len(found) / 1e3,
                    "descriptors": max(seen.descriptors for seen in after.values()),
                    "server": (server_after - server_before) / seconds * 100,
                },
            )
            server.stop(client)
        with report.cell(f"supervisors without a server, repetition {repetition + 1}"):
            report.add(ALONE, alone(options))
    show(report)


def alone(options: Options) -> dict[str, float]:
    """Attempts of `true` without a server, one after the other: the supervisor's own part of a trial."""
    script = Path(__file__).resolve().parents[1] / "supervisor_cost.py"
    supervisor = str(options.martlet.with_name("martlet-supervisor"))
    command = [sys.executable, "-B", str(script), "--supervisor", supervisor, "--count", str(AT_ONCE), "--json"]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def supervisors(server: int) -> list[int]:
    """Those that this server started and that live."""
    found = []
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{entry}/stat").read_text(errors="replace")
        except OSError:
            continue
        name, rest = fields.partition("(")[2].rpartition(")")[::2]
        if name == PROGRAM and int(rest.split()[1]) == server and rest.split()[0] != "Z":
            found.append(int(entry))
    return found


def look(pid: int) -> Seen:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return Seen(process_cpu(pid), fields["Rss"], fields["Pss"], len(os.listdir(f"/proc/{pid}/fd")))


def show(report: Report) -> None:
    records = medians(report.records(SECTION), ("count",))
    report.title(
        f"supervisors: {AT_ONCE} at once, each watching a `sleep`",
        f"CPU: of one supervisor, to its start and then in each second of {SECONDS:g}; the server's with "
        f"{AT_ONCE} runs to sample.",
    )
    report.table(
        [
            Column("supervisors", "count"),
            Column("start, CPU ms", "start"),
            Column("CPU ms per s", "cpu"),
            Column("most kB resident", "resident"),
            Column("kB, shared shared out", "proportional"),
            Column("descriptors", "descriptors"),
            Column("server % of a core", "server"),
        ],
        records,
    )
    report.title(f"supervisors: {AT_ONCE} attempts of `true` one after the other, without a server")
    report.table(
        [
            Column("supervised, CPU ms", "supervised_cpu_ms"),
            Column("wall ms", "supervised_wall_ms"),
            Column("alone, CPU ms", "alone_cpu_ms"),
            Column("alone, wall ms", "alone_wall_ms"),
            Column("s until all at once have stopped", "stop_seconds"),
        ],
        medians(report.records(ALONE), ("count",)),
    )
