"""End to end: training scripts that log through each tracker's own client, until its store has everything."""

from __future__ import annotations

import contextlib
from typing import Any

from tracking import systems
from tracking.agents import READY, Agent
from tracking.options import Options
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service

KEYS = 10
MOST_POINTS = 4_000_000  # of one cell, all clients together: bounds its time and its disk
SECTION = "ingest"


class Bench:
    """One tracker in one repetition: its server, if it has one, and clients that wait."""

    def __init__(self, name: str, clients: int, scratch: str, stack: contextlib.ExitStack) -> None:
        self.system = systems.named(name)
        self.service = stack.enter_context(Service(self.system, scratch))
        self.start: float | None = None
        self.idle: int | None = None
        if self.system.has_server:
            self.start = self.service.start()
            self.service.group.settle(1.0)
            self.idle = self.service.group.memory().proportional
        self.workers: list[Agent] = [self.service.worker() for _ in range(clients)]
        for worker in self.workers:
            worker.tell(READY)
        for worker in self.workers:
            worker.answer()
        self.points = 0

    def cell(self, kind: str, clients: int, seconds: float) -> Record:
        workers, runs = self.workers[:clients], [f"{kind}-{clients}-{number}" for number in range(clients)]
        for number, (worker, run) in enumerate(zip(workers, runs)):
            worker.tell("begin", run=run, kind=kind, keys=KEYS, seed=number)
        for worker in workers:
            worker.answer()
        server, our = self.service.group, self.service.clients
        server_before, client_before = server.cpu(), our.cpu()
        most = min(self.system.most_steps, MOST_POINTS // KEYS // clients)
        for worker in workers:
            worker.tell("log", seconds=seconds, most=most)
        done = [worker.answer() for worker in workers]
        client_cpu = our.cpu() - client_before
        server_cpu = self.service.settle() - server_before if self.system.has_server else None
        points = sum(one["steps"] for one in done) * KEYS
        stored = sum(worker.ask("stored", run=run)["points"] for worker, run in zip(workers, runs))
        self.points += points
        wall = max(one["delivered"] for one in done) - min(one["began"] for one in done)
        return {
            "system": self.system.name,
            "values": kind,
            "clients": clients,
            "points": points,
            "rate": points / wall,
            "server_cpu": server_cpu / points * 1e6 if server_cpu is not None else None,
            "client_cpu": client_cpu / points * 1e6,
            "p50": max(one["p50"] for one in done),
            "p99": max(one["p99"] for one in done),
            "longest": max(one["longest"] for one in done),
            "flush": max(one["delivered"] - one["logged"] for one in done),
            "lost": points - stored,
        }


def measure(options: Options, report: Report, scratch: str) -> None:
    names = usable(options, report)
    for repetition in range(options.repetitions):
        with contextlib.ExitStack() as stack:
            benches: list[Bench] = []
            for name in names:
                with report.cell(f"{name} starts"):
                    benches.append(Bench(name, max(options.clients), scratch, stack))
            for clients in options.clients:
                for kind in options.values:
                    for bench in benches:  # one after the other, so that all meet the same neighbours
                        what = f"ingest {bench.system.name}, {clients} clients, {kind}, repetition {repetition + 1}"
                        with report.cell(what):
                            record = bench.cell(kind, clients, options.seconds)
                            report.add(SECTION, record)
                            if bench.system.name == "martlet" and record["lost"]:
                                report.failed(f"{what}: {record['lost']} points were logged and are not stored")
            for bench in benches:
                with report.cell(f"{bench.system.name} ends"):
                    close(bench, report)
    show(options, report, names)


def close(bench: Bench, report: Report) -> None:
    bench.service.stop()
    size = bench.service.size() if bench.system.name != "martlet" else bench.service.compact_size()
    report.add(
        "stores",
        {
            "system": bench.system.name,
            "start": bench.start,
            "idle": bench.idle / 1e6 if bench.idle is not None else None,
            "bytes": size / bench.points if bench.points else None,
        },
    )


def usable(options: Options, report: Report) -> list[str]:
    """Martlet, and the peers that are there; the others are named."""
    names = []
    for name in ("martlet", *options.peers):
        missing = systems.named(name).missing()
        if missing is None:
            names.append(name)
        elif name == "martlet":
            report.failed(missing)
        else:
            print(f"left out: {name}: {missing}")
    return names


def show(options: Options, report: Report, names: list[str]) -> None:
    found = medians(report.records(SECTION), ("clients", "values", "system"))
    for record in found:
        ours = find(found, system="martlet", clients=record["clients"], values=record["values"])
        if ours and record["system"] != "martlet":
            record["ratio"] = ratio(ours["rate"], record["rate"])
            record["cpu_ratio"] = ratio(record["server_cpu"], ours["server_cpu"])
            record["all_ratio"] = ratio(whole_cpu(record), whole_cpu(ours))
    order = {name: place for place, name in enumerate(names)}
    found.sort(key=lambda record: (record["clients"], record["values"], order[record["system"]]))
    report.title(
        f"end to end through each one's own client, {KEYS} keys a step, {options.seconds:g} s, "
        f"medians of {options.repetitions}",
        "points/s: from the first log() until the store has the last point; × is Martlet's lead over that row",
        "server CPU: until it is quiet again; MLflow sends batches of 1,000 values; W&B and TensorBoard have no server",
    )
    report.table(COLUMNS, found)
    for peer, least in (("trackio", 4), ("mlflow", 60)):
        for clients in options.clients:
            rows = [record for record in found if record["system"] == peer and record["clients"] == clients]
            rates: list[Any] = [record["ratio"] for record in rows if record.get("ratio")]
            if peer in names:
                report.at_least(
                    f"points/s beside {peer}'s server, {clients} clients (×)", min(rates, default=None), least
                )


def whole_cpu(record: Record) -> float:
    """Microseconds a point, of clients and server together."""
    return float(record["client_cpu"] + (record["server_cpu"] or 0))


COLUMNS = (
    Column("system", "system"),
    Column("clients", "clients"),
    Column("values", "values"),
    Column("points/s", "rate"),
    Column("×", "ratio"),
    Column("server CPU s/M", "server_cpu"),
    Column("×", "cpu_ratio"),
    Column("client CPU µs/pt", "client_cpu"),
    Column("all CPU ×", "all_ratio"),
    Column("log() p50 µs", "p50"),
    Column("p99 µs", "p99"),
    Column("longest µs", "longest"),
    Column("flush s", "flush"),
    Column("points", "points"),
    Column("lost", "lost"),
)
