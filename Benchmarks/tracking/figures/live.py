"""The live feed: a page of many charts while its runs log, and many clients that watch while others log."""

from __future__ import annotations

import sys
import time
from typing import Any

from tracking import systems
from tracking.agents import Agent
from tracking.options import Options
from tracking.processes import process_cpu
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service

SECTION = "live"
CHARTS = 50  # of one page: ten runs of five metrics
RUNS, KEYS = 10, [f"metric-{number}" for number in range(5)]
PACE = 10  # steps a second of each run, more than the feed tells at a time
WATCHERS = 50  # clients, each with a page of its own
AT_MOST = 5.0  # percent of a core

NOBODY, PAGE, CROWD = "nobody watches", f"{CHARTS} charts", f"{WATCHERS} clients"
CASES = {NOBODY: 0, PAGE: 1, CROWD: WATCHERS}


def measure(options: Options, report: Report, scratch: str) -> None:
    for repetition in range(options.repetitions):
        for case, clients in CASES.items():
            with report.cell(f"live feed, {case}, repetition {repetition + 1}"):
                report.add(SECTION, {"case": case, **cell(clients, max(4.0, options.seconds), scratch)})
    show(options, report)


def cell(clients: int, seconds: float, scratch: str) -> Record:
    """Runs that log at a pace over HTTP, watched by so many pages; the server's CPU meanwhile."""
    with Service(systems.named("martlet"), scratch) as service:
        service.start()
        api = service.api()
        runs = [api.post("/runs", {"project": "bench", "name": f"r{number}"})["id"] for number in range(RUNS)]
        pages = watch(service, runs, clients) if clients else None
        pacer = service.agent("tracking.pacer", argument(service, runs), python=sys.executable)
        pacer.ask("ready")
        service.group.settle(1.0)
        server = service.pid
        before, began = process_cpu(server), time.monotonic()
        done = pacer.ask("log", seconds=seconds, pace=PACE, keys=KEYS)
        busy, wall = process_cpu(server) - before, time.monotonic() - began
        seen: dict[str, Any] = pages.ask("seen") if pages else {"binaries": 0, "texts": 0, "bytes": 0}
        if clients and not seen["binaries"]:
            raise RuntimeError("the live feed brought no points")
        return {
            "clients": clients,
            "core": busy / wall * 100,
            "points": done["steps"] * len(KEYS),
            "p50": done["p50"],
            "p99": done["p99"],
            "messages": (seen["binaries"] + seen["texts"]) / wall / max(1, clients),
            "feed": seen["bytes"] / 1e6,
        }


def argument(service: Service, runs: list[str]) -> dict[str, Any]:
    return {"port": service.place.port, "token": service.place.token, "runs": runs}


def watch(service: Service, runs: list[str], clients: int) -> Agent:
    """Pages in one process: what they do themselves is not measured."""
    agent = service.agent("tracking.feed", {**argument(service, runs), "clients": clients}, python=sys.executable)
    agent.ask("seen")
    return agent


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("case",))
    report.title(
        f"the live feed: {RUNS} runs that log {len(KEYS)} values {PACE} times a second each, over HTTP",
        f"{CHARTS} charts: one client watches them all; {CROWD}: each watches as much. Twice a second a client is told",
        "core: the server's CPU, in percent of a core; request: how long a row's POST took",
    )
    report.table(COLUMNS, found)
    cases = {case: find(found, case=case) or {} for case in CASES}
    if cases[PAGE] and cases[NOBODY]:
        cost = cases[PAGE]["core"] - cases[NOBODY]["core"]
        report.at_most(f"{CHARTS} live charts, percent of a core above nobody's", cost, AT_MOST)
    slower = ratio(cases[CROWD].get("p50"), cases[NOBODY].get("p50"))
    report.at_most(f"a row's request with {WATCHERS} clients watching, of that with nobody", slower, 1.5)


COLUMNS = (
    Column("case", "case"),
    Column("core %", "core"),
    Column("request p50 ms", "p50"),
    Column("request p99 ms", "p99"),
    Column("messages/s a client", "messages"),
    Column("feed MB", "feed"),
    Column("points", "points"),
)
