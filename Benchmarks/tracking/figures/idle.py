"""Start to first answer, and what a server costs that has nothing to do, with many runs in its store."""

from __future__ import annotations

import time

from tracking import bodies, seeding, systems
from tracking.options import Options
from tracking.processes import process_cpu
from tracking.report import Column, Report, find, medians
from tracking.service import Service

SECTION = "idle"
WATCHED = 5.0  # seconds of which the idle CPU is taken
NEW, FULL = "new store", "full store"


def measure(options: Options, report: Report, scratch: str) -> None:
    with report.cell("idle"), Service(systems.named("martlet"), scratch) as service:
        report.add(SECTION, {"system": "martlet", "store": NEW, "start": service.start() * 1e3})
        api = service.api()
        run = seeding.ended_run(api, "template", bodies.losses("f32", 5, 100, 1))
        service.settle()
        service.stop()
        seeding.copy_run(service.place.data, run, options.runs - 1)
        for _ in range(options.repetitions):
            start = service.start() * 1e3
            start_cpu = process_cpu(service.pid) * 1e3
            service.group.settle(2.0)
            memory = service.group.memory()
            before, began = process_cpu(service.pid), time.monotonic()
            time.sleep(WATCHED)
            cpu = (process_cpu(service.pid) - before) / (time.monotonic() - began) * 100
            api, asked = service.api(), time.monotonic()
            listed = len(api.get("/runs?project=bench&limit=100")["items"])
            answered = (time.monotonic() - asked) * 1e3
            if listed != 100:
                raise RuntimeError(f"the store has {options.runs} runs, and a page of 100 brought {listed}")
            used = service.group.memory()
            report.add(
                SECTION,
                {
                    "system": "martlet",
                    "store": FULL,
                    "start": start,
                    "start_cpu": start_cpu,
                    "resident": memory.resident / 1e6,
                    "proportional": memory.proportional / 1e6,
                    "cpu": cpu,
                    "list": answered,
                    "used": used.resident / 1e6,
                    "bytes": service.size() / 1e6,
                },
            )
            service.stop()
    show(options, report)


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("system", "store"))
    for store in medians(report.records("stores"), ("system",)):
        if store["system"] != "martlet" and store["start"]:
            peer = {"system": store["system"], "store": NEW, "start": store["start"] * 1e3}
            found.append({**peer, "proportional": store["idle"]})
    report.title(
        f"start and idle; the full store has {options.runs:,} ended runs of 500 points",
        "start: to the first answer; memory a moment after it; CPU of one core over 5 s; then the first page of runs",
        "peers: empty, as they were started for the end-to-end cells of this run",
    )
    report.table(COLUMNS, found)
    full = find(found, system="martlet", store=FULL) or {}
    report.at_most("start to first answer, ms", full.get("start"), 100)
    report.at_most(f"idle memory with {options.runs:,} runs, MB resident", full.get("resident"), 50)


COLUMNS = (
    Column("system", "system"),
    Column("store", "store"),
    Column("start ms", "start"),
    Column("its CPU ms", "start_cpu"),
    Column("resident MB", "resident"),
    Column("proportional MB", "proportional"),
    Column("idle CPU %", "cpu"),
    Column("page of 100 ms", "list"),
    Column("resident after MB", "used"),
    Column("store MB", "bytes"),
)
