"""What a trial costs that does nothing: `/bin/true`, in a sweep of Martlet's and through what else runs commands."""

from __future__ import annotations

import tempfile
import time

from tracking.agents import READY, Agent
from tracking.processes import Group
from tracking.report import Column, Record, Report, find, medians, ratio

from execution import systems
from execution.accounting import Account
from execution.options import Options
from execution.server import Server
from execution.systems.base import COMMAND, System

SECTION = "overhead"
LONGEST = 900.0  # seconds that a peer may take for a cell
PEERS_AIM = "parallel"
LAUNCHING = "execution.launching"


def measure(options: Options, report: Report, scratch: str) -> None:
    peers = []
    for name in options.peers:
        system = systems.named(name)
        why = system.missing()
        if why:
            print(f"  {name} is left out: {why}", flush=True)
        else:
            peers.append(system)
    for repetition in range(options.repetitions):
        for parallel in options.parallel:  # one after the other, so that all meet the same neighbours
            with report.cell(f"overhead, martlet, {parallel} at a time, repetition {repetition + 1}"):
                report.add(SECTION, ours(options, parallel, scratch))
            for system in peers:
                with report.cell(f"overhead, {system.name}, {parallel} at a time, repetition {repetition + 1}"):
                    report.add(SECTION, theirs(system, parallel, min(options.trials, system.most_trials), scratch))
    show(options, report)


def ours(options: Options, parallel: int, scratch: str) -> Record:
    with Server(options.martlet, scratch) as server:
        cost = server.sweep([COMMAND], options.trials, parallel)
        return record("martlet", parallel, options.trials, cost.wall, cost.cpu, server.start)


def theirs(system: System, parallel: int, trials: int, scratch: str) -> Record:
    folder = tempfile.mkdtemp(prefix=f"{system.name}-", dir=scratch)
    group = Group(system.name)
    account = Account(group)
    try:
        began = time.monotonic()
        argument = {"system": system.name, "parallel": parallel, "scratch": folder}
        python = account.program(system.python, folder)
        agent = Agent(group, python, LAUNCHING, argument, system.environment(folder), folder)
        agent.ask(READY)
        start = time.monotonic() - began
        before = account.settle(1.0)
        done = agent.ask("run", longest=LONGEST, trials=trials)
        if done["worked"] != trials:
            raise RuntimeError(f"{done['worked']} of {trials} trials worked")
        cpu = account.settle(1.0) - before
        agent.ask("close")
        agent.close()
        return record(system.name, parallel, trials, done["wall"], cpu, start)
    finally:
        group.kill()
        account.close()


def record(system: str, parallel: int, trials: int, wall: float, cpu: float, start: float) -> Record:
    return {
        "system": system,
        "parallel": parallel,
        "trials": trials,
        "wall": wall / trials * 1e3,
        "cpu": cpu / trials * 1e3,
        "start": start,
    }


def show(options: Options, report: Report) -> None:
    records = medians(report.records(SECTION), ("system", "parallel"))
    for one in records:
        martlet = find(records, system="martlet", parallel=one["parallel"])
        one["wall_ratio"] = ratio(martlet["wall"], one["wall"]) if martlet else None
        one["cpu_ratio"] = ratio(martlet["cpu"], one["cpu"]) if martlet else None
    report.title(
        f"overhead of a trial that does nothing ({COMMAND})",
        "wall: from the command or the call to its end, with servers that are up already. CPU: the whole tree of",
        "processes (server, workers, supervisors, client, the commands), what is put off included.",
    )
    report.table(
        [
            Column("system", "system"),
            Column("at a time", "parallel"),
            Column("trials", "trials"),
            Column("wall ms", "wall"),
            Column("CPU ms", "cpu"),
            Column("start s", "start"),
            Column("martlet's wall ×", "wall_ratio"),
            Column("martlet's CPU ×", "cpu_ratio"),
        ],
        sorted(records, key=lambda one: (one["parallel"], one["wall"])),
    )
    for parallel in options.parallel:
        peer = find(records, system=PEERS_AIM, parallel=parallel)
        report.at_most(
            f"CPU of a trial, {parallel} at a time, against GNU parallel's", peer["cpu_ratio"] if peer else None, 1.0
        )
