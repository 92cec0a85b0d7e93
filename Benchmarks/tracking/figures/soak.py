"""A long time of logging while some who watch read far too slowly: neither memory nor requests may grow with it."""

from __future__ import annotations

import sys
import time
from typing import Optional

from tracking import systems
from tracking.agents import Agent
from tracking.figures.live import argument
from tracking.options import Options
from tracking.processes import process_cpu
from tracking.report import Column, Record, Report, find, ratio
from tracking.service import Service

SECTION = "soak"
RUNS, KEYS = 10, [f"metric-{number}" for number in range(5)]
PACE = 40  # steps a second of each run
SLOW, SPEED = 5, 2_000.0  # clients, and bytes a second that each of them reads; it is sent some 20 times as much
PARTS = 10  # of the time, a line each
GROWTH = 1.25  # at most, from the second part to the last; the first fills caches


def measure(options: Options, report: Report, scratch: str) -> None:
    seconds = max(options.soak, 2.0 * PARTS) / PARTS
    with Service(systems.named("martlet"), scratch) as service:
        service.start()
        api = service.api()
        runs = [api.post("/runs", {"project": "bench", "name": f"r{number}"})["id"] for number in range(RUNS)]
        pacer = service.agent("tracking.pacer", argument(service, runs), python=sys.executable)
        with report.cell("soak, nobody watches"):
            report.add(SECTION, part(service, pacer, "nobody watches", seconds))
        place = argument(service, runs)
        slow = service.agent("tracking.feed", {**place, "clients": SLOW, "speed": SPEED}, python=sys.executable)
        fast = service.agent("tracking.feed", place, python=sys.executable)
        for number in range(PARTS):
            with report.cell(f"soak, part {number + 1} of {PARTS}"):
                record = part(service, pacer, f"part {number + 1}", seconds)
                for name, agent in (("slow", slow), ("fast", fast)):
                    # Both are still connected, or this says why not.
                    record[f"{name}_bytes"] = agent.ask("seen")["bytes"] / 1e6
                report.add(SECTION, record)
    show(options, report)


def part(service: Service, pacer: Agent, name: str, seconds: float) -> Record:
    before, began = process_cpu(service.pid), time.monotonic()
    done = pacer.ask("log", longest=seconds * 10 + 60, seconds=seconds, pace=PACE, keys=KEYS)
    busy, wall = process_cpu(service.pid) - before, time.monotonic() - began
    return {
        "part": name,
        "rows": done["steps"],
        "core": busy / wall * 100,
        "p50": done["p50"],
        "p99": done["p99"],
        "resident": service.group.memory().resident / 1e6,
    }


def show(options: Options, report: Report) -> None:
    found = report.records(SECTION)
    report.title(
        f"soak: {RUNS} runs log {len(KEYS)} values {PACE} times a second each, {options.soak:.0f} s in {PARTS} parts",
        f"{SLOW} clients watch all runs and read {SPEED / 1e3:.0f} kB a second each, one reads as fast as it can",
        "core: the server's CPU, in percent of a core; request: a row's POST; MB read since the beginning",
    )
    report.table(COLUMNS, found)
    first, early, last = (find(found, part=name) or {} for name in ("nobody watches", "part 2", f"part {PARTS}"))
    report.at_most("memory at the end, of that after a fifth of the time", grown(last, early, "resident"), GROWTH)
    report.at_most("a row's request at the end, of that after a fifth of the time", grown(last, early, "p50"), GROWTH)
    report.at_most("a row's request with slow clients, of that with nobody", grown(last, first, "p50"), 1.5)


def grown(later: Record, earlier: Record, name: str) -> Optional[float]:
    return ratio(later.get(name), earlier.get(name))


COLUMNS = (
    Column("part", "part"),
    Column("rows", "rows"),
    Column("core %", "core"),
    Column("request p50 ms", "p50"),
    Column("request p99 ms", "p99"),
    Column("resident MB", "resident"),
    Column("slow read MB", "slow_bytes"),
    Column("fast read MB", "fast_bytes"),
)
