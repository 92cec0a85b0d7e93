"""Bytes that a stored point takes on the disk, its share of steps and times included."""

from __future__ import annotations

from tracking import bodies, seeding, systems
from tracking.options import Options
from tracking.report import Column, Report, find, medians
from tracking.service import Service

RUNS = 10
SECTION = "size"
CASES = (  # keys a step, values, steps a run, aim
    (10, "f32", 10_000, 5.0),
    (10, "f64", 10_000, 10.0),
    (1, "f32", 30_000, 8.0),
)


def measure(options: Options, report: Report, scratch: str) -> None:
    for keys, kind, steps, aim in CASES:
        figure = None
        with report.cell(f"size, {keys} keys, {kind}"):
            figure = stored_bytes(keys, kind, steps, scratch)
            points = RUNS * steps * keys
            report.add(SECTION, {"system": "martlet", "keys": keys, "values": kind, "bytes": figure, "points": points})
        report.at_most(f"bytes a stored point, {keys} keys {kind}", figure, aim)
    show(options, report)


def stored_bytes(keys: int, kind: str, steps: int, scratch: str) -> float:
    """Of runs that have ended, in a store that is quiet and then stopped; an empty store's bytes are taken off."""
    with Service(systems.named("martlet"), scratch) as service:
        service.start()
        service.stop()
        empty = service.compact_size()
        service.start()
        api = service.api()
        for number in range(RUNS):
            seeding.ended_run(api, f"run-{number}", bodies.losses(kind, keys, steps, number))
        service.settle()
        service.stop()
        return (service.compact_size() - empty) / (RUNS * steps * keys)


def show(options: Options, report: Report) -> None:
    found = list(report.records(SECTION))
    for store in medians(report.records("stores"), ("system",)):
        if store["system"] != "martlet":
            found.append({**store, "keys": 10, "values": "+".join(options.values)})
    ours = find(found, system="martlet", keys=10, values="f32")
    for record in found:
        if record["system"] != "martlet" and ours and record["bytes"]:
            record["ratio"] = record["bytes"] / ours["bytes"]
    report.title(
        f"bytes a stored point, {RUNS} runs of seeded losses, ended and settled",
        "peers: their whole store after the end-to-end cells of this run, × against 10 keys of f32",
    )
    report.table(COLUMNS, found)


COLUMNS = (
    Column("system", "system"),
    Column("keys", "keys"),
    Column("values", "values"),
    Column("bytes/pt", "bytes"),
    Column("×", "ratio"),
    Column("points", "points"),
)
