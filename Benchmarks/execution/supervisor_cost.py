#!/usr/bin/env python3
"""What one supervisor costs: to begin and end an attempt, and while many of them watch.

Run: python3 Benchmarks/execution/supervisor_cost.py [--supervisor PATH] [--count 200] [--seconds 5] [--json]
Without --supervisor the sources are built with cc into a temporary directory. Options after -- go to every supervisor:
-M 1e9 shows what a memory limit by looking costs, -G DIR (made by you) what a control group does.

It prints, for --count attempts: CPU and wall time of `true` under a supervisor one after the other, beside `true`
alone; then, with so many supervisors of sleeping commands at once, the memory of each and the CPU time it uses in a
second, and how long it takes until the last of them has heard of a stop.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Callable

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "martlet-supervisor"


def build(directory: str) -> str:
    binary = f"{directory}/martlet-supervisor"
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", *sources, "-o", binary], check=True)
    return binary


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def one_by_one(command_of: Callable[[int], list[str]], count: int) -> tuple[float, float]:
    """CPU and wall milliseconds of each of `count` commands in a row."""
    cpu, began = children_cpu(), time.monotonic()
    for number in range(count):
        pid = os.posix_spawn("/usr/bin/env", command_of(number), os.environ)
        os.waitpid(pid, 0)
    return (children_cpu() - cpu) * 1e3 / count, (time.monotonic() - began) * 1e3 / count


def cpu_seconds(pid: int) -> float:
    """Time on a processor: the first number of /proc/PID/schedstat, in nanoseconds."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def memory(pid: int) -> tuple[int, int]:
    """Resident and proportional size in KiB."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Rss:", "Pss:"):
                sizes[words[0]] = int(words[1])
    return sizes["Rss:"], sizes["Pss:"]


def many_at_once(supervisor: str, options: Sequence[str], root: str, count: int, seconds: float) -> dict[str, float]:
    directories = [f"{root}/many-{number}" for number in range(count)]
    processes = []
    for directory in directories:
        os.mkdir(directory)
        processes.append(subprocess.Popen([supervisor, *options, directory, "--", "sleep", "600"]))
    try:
        while not all(
            os.path.exists(f"{d}/attempt.json") and b"command" in pathlib.Path(d, "attempt.json").read_bytes()
            for d in directories
        ):
            time.sleep(0.01)
        before, began = [cpu_seconds(process.pid) for process in processes], time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        used = [(cpu_seconds(p.pid) - b) * 1e3 / passed for p, b in zip(processes, before)]
        sizes = [memory(process.pid) for process in processes]
        asked = time.monotonic()
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
    return {
        "rss_kib": statistics.median(size[0] for size in sizes),
        "pss_kib": statistics.median(size[1] for size in sizes),
        "cpu_ms_per_second": statistics.mean(used),
        "stop_seconds": time.monotonic() - asked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--supervisor", help="the binary to measure; built from the sources without it")
    parser.add_argument("--count", type=int, default=200, help="attempts (200)")
    parser.add_argument("--seconds", type=float, default=5, help="how long those at once are watched (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("options", nargs="*", help="options of the supervisor, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="martlet-cost-") as root:
        supervisor = arguments.supervisor or build(root)
        count, options = arguments.count, arguments.options

        def supervised(number: int) -> list[str]:
            directory = f"{root}/{number}"
            os.mkdir(directory)
            return ["env", supervisor, *options, directory, "--", "true"]

        cpu, wall = one_by_one(supervised, count)
        bare_cpu, bare_wall = one_by_one(lambda _: ["env", "true"], count)
        result = {
            "count": count,
            "supervised_cpu_ms": cpu,
            "supervised_wall_ms": wall,
            "alone_cpu_ms": bare_cpu,
            "alone_wall_ms": bare_wall,
            **many_at_once(supervisor, options, root, count, arguments.seconds),
        }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{count} attempts of 'true', one after the other, each:")
    print(f"  under a supervisor  {cpu:6.2f} ms CPU  {wall:6.2f} ms wall")
    print(f"  alone               {bare_cpu:6.2f} ms CPU  {bare_wall:6.2f} ms wall")
    print(f"{count} supervisors at once, each:")
    print(f"  memory              {result['rss_kib']:.0f} KiB resident, {result['pss_kib']:.0f} KiB of its own share")
    print(f"  watching            {result['cpu_ms_per_second']:.2f} ms CPU a second")
    print(f"  all stopped after   {result['stop_seconds']:.2f} s")


if __name__ == "__main__":
    main()
