"""The server alone: bodies that lie ready are sent as fast as it takes them, while it seals what it has and an open
dashboard watches."""

from __future__ import annotations

import os
import sys
from typing import Any

from tracking import bodies, systems
from tracking.agents import Agent
from tracking.options import Options
from tracking.report import Column, Record, Report, find, medians
from tracking.service import Service

KEYS = 10
SECTION = "alone"


def measure(options: Options, report: Report, scratch: str) -> None:
    files = {
        (kind, form): os.path.join(scratch, f"{kind}-{form.replace(' ', '-')}.bodies")
        for kind in options.values
        for form in bodies.MEDIA
    }
    steps = max(bodies.ROWS * max(options.clients), options.load // KEYS)
    written = {}
    for kind in options.values:
        rows = bodies.losses(kind, KEYS, steps, 1)
        for form in bodies.MEDIA:
            written[kind, form] = bodies.write(files[kind, form], bodies.of(rows, form)) / (steps * KEYS)
    for repetition in range(options.repetitions):
        for clients in options.clients:
            for kind, form in files:
                with report.cell(f"server alone, {form}, {clients} clients, {kind}, repetition {repetition + 1}"):
                    record = cell(files[kind, form], form, clients, steps // bodies.ROWS, scratch)
                    record.update({"values": kind, "wire": written[kind, form]})
                    report.add(SECTION, record)
    for path in files.values():
        os.remove(path)
    show(options, report)


def cell(file: str, form: str, clients: int, count: int, scratch: str) -> Record:
    with Service(systems.named("martlet"), scratch) as service:
        service.start()
        api = service.api()
        runs = [api.post("/runs", {"project": "bench", "name": f"r{number}"})["id"] for number in range(clients)]
        watcher = feed(service, runs)
        loads = [load(service, run, file, bodies.MEDIA[form], most=count // clients) for run in runs]
        service.group.settle(1.0)
        before = service.group.cpu()
        for sender in loads:
            sender.tell("send")
        done = [sender.answer() for sender in loads]
        loading = service.group.cpu() - before
        points = sum(one["accepted"] for one in done) * KEYS
        for run in runs:
            api.post(f"/runs/{run}/finish", {})
        whole = service.settle() - before
        stored = sum(api.get(f"/runs/{run}")["points"] for run in runs)
        if stored != points:
            raise RuntimeError(f"{points} points were accepted, {stored} are stored")
        seen = watcher.ask("seen")
        if not seen["binaries"]:
            raise RuntimeError("the live feed brought no points")
        wall = max(one["ended"] for one in done) - min(one["began"] for one in done)
        return {
            "form": form,
            "clients": clients,
            "points": points,
            "rate": points / wall,
            "loading": points / loading,
            "whole": points / whole,
            "cpu": whole / points * 1e6,
            "resident": service.group.memory().resident / 1e6,
            "feed": seen["bytes"] / 1e6,
        }


def load(service: Service, run: str, file: str, media: str, most: int, client: str = "") -> Agent:
    """A load generator whose bodies lie ready."""
    argument: dict[str, Any] = {
        "port": service.place.port,
        "token": service.place.token,
        "client": client or f"client-of-{run}",
        "media": media,
        "file": file,
        "most": most,
    }
    agent = service.agent("tracking.load", argument, python=sys.executable)
    agent.ask("ready", run=run)
    return agent


def feed(service: Service, runs: list[str]) -> Agent:
    argument = {"port": service.place.port, "token": service.place.token, "runs": runs}
    agent = service.agent("tracking.feed", argument, python=sys.executable)
    agent.ask("seen")
    return agent


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("form", "clients", "values"))
    report.title(
        f"the server alone, {KEYS} keys a step, {bodies.ROWS} steps a body, one run a client, sealing, a live feed",
        "points per CPU-second: while it is loaded, and as a whole, until it is quiet after the runs have ended",
    )
    report.table(COLUMNS, found)
    for form, least in ((bodies.JSON_LINES, 2e6), (bodies.RECORDS, 4e6)):
        for clients in options.clients:
            rows = [find(found, form=form, clients=clients, values=kind) for kind in options.values]
            figures = [row["whole"] for row in rows if row]
            worst = min(figures, default=None)
            report.at_least(f"points per server-CPU-second, {form}, {clients} clients", worst, least)


COLUMNS = (
    Column("form", "form"),
    Column("clients", "clients"),
    Column("values", "values"),
    Column("loaded pt/CPU-s", "loading"),
    Column("whole pt/CPU-s", "whole"),
    Column("CPU s/M", "cpu"),
    Column("points/s", "rate"),
    Column("bytes/pt sent", "wire"),
    Column("resident MB", "resident"),
    Column("feed MB", "feed"),
    Column("points", "points"),
)
