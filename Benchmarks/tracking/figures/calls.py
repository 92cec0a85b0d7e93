"""What a log() call costs the training thread, also while the server is killed, and what is lost when something is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any, Optional

from tracking import systems
from tracking.agents import Agent
from tracking.figures.ingest import KEYS, usable
from tracking.options import Options
from tracking.processes import Group
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service
from tracking.worker import COUNT, SLEEP, WORK

SECTION = "log"
PACE = 500  # steps a second where the training does something else between them
KILL_PACE = 2_000  # steps a second where something is killed
RUN = "training"
ARRIVAL = 15.0  # seconds for what was logged to arrive after a kill


def measure(options: Options, report: Report, scratch: str) -> None:
    names = [name for name in usable(options, report) if systems.named(name).has_server]
    if not options.is_full and "mlflow" in names:
        names.remove("mlflow")  # its server takes ten seconds to start, and its clients stand still without it
    for repetition in range(options.repetitions):
        for name in names:
            for what, case in CASES.items():
                with report.cell(f"log() {name}, {what}, repetition {repetition + 1}"):
                    record = case(name, options.seconds, scratch)
                    add(report, {"system": name, "case": what, **record})
            with report.cell(f"log() {name}, trainer killed, repetition {repetition + 1}"):
                for record in trainer_killed(name, options.seconds, scratch):
                    add(report, {"system": name, **record})
    show(options, report)


def add(report: Report, record: Record) -> None:
    report.add(SECTION, record)
    if record["system"] == "martlet" and record["lost"] and "until" not in record["case"]:
        report.failed(f"log() {record['case']}: {record['lost']} of {record['steps']} steps are lost")


def fast(name: str, seconds: float, scratch: str) -> Record:
    return undisturbed(name, seconds, scratch, most=systems.named(name).most_steps)


def working(name: str, seconds: float, scratch: str) -> Record:
    return undisturbed(name, max(4.0, seconds), scratch, most=10**9, pace=PACE, between=WORK)


def sleeping(name: str, seconds: float, scratch: str) -> Record:
    return undisturbed(name, max(4.0, seconds), scratch, most=10**9, pace=PACE, between=SLEEP)


def undisturbed(name: str, seconds: float, scratch: str, **how: Any) -> Record:
    with Service(systems.named(name), scratch) as service:
        service.start()
        worker = begun(service)
        done = worker.ask("log", seconds=seconds, **how)
        return summary(done, worker.ask("stored", run=RUN)["points"] // KEYS)


def paced(name: str, seconds: float, scratch: str) -> Record:
    """What `server_killed` is to be compared with: the same, and the server stays."""
    return undisturbed(name, kill_length(seconds), scratch, most=10**9, pace=KILL_PACE)


def server_killed(name: str, seconds: float, scratch: str) -> Record:
    return killed_amid(name, kill_length(seconds), scratch, most=10**9, pace=KILL_PACE)


def server_killed_fast(name: str, seconds: float, scratch: str) -> Record:
    return killed_amid(name, max(3.0, seconds), scratch, most=systems.named(name).most_steps)


def kill_length(seconds: float) -> float:
    return max(6.0, 2 * seconds)


def killed_amid(name: str, length: float, scratch: str, **how: Any) -> Record:
    """The server is killed after a third of the time, and started again a sixth later."""
    with Service(systems.named(name), scratch) as service:
        service.start()
        worker = begun(service)
        worker.tell("log", seconds=length, **how)
        time.sleep(length / 3)
        service.kill()
        time.sleep(length / 6)
        service.start()
        done = worker.answer()
        return summary(done, arrived(worker, done["steps"]))


def trainer_killed(name: str, seconds: float, scratch: str) -> list[Record]:
    """SIGKILL to the training process alone, and to it and all it started; then what each tracker has to bring in
    what is left."""
    records = []
    for case in ("trainer killed", "all of it killed"):
        with Service(systems.named(name), scratch) as service:
            service.start()
            trainer = Group(f"{name}-trainer")
            worker = begun(service, trainer)
            counter = os.path.join(service.place.scratch, "returned")
            worker.tell("log", seconds=60, most=10**9, pace=KILL_PACE, counter=counter)
            time.sleep(max(2.0, seconds))
            if case == "trainer killed":
                os.kill(worker.process.pid, signal.SIGKILL)
            else:
                trainer.kill()
            with open(counter, "rb") as file:
                (returned,) = COUNT.unpack(file.read(COUNT.size))
            reader = service.worker()
            steps = arrived(reader, returned)
            if case == "all of it killed" and name == "martlet":
                records.append({"case": f"{case}, until sync", "steps": returned, "lost": max(0, returned - steps)})
                sync(service)
                steps = arrived(reader, returned)
                case += ", then sync"
            trainer.kill()
            # One step more may be stored than the count says: the call had not returned.
            records.append({"case": case, "steps": returned, "lost": max(0, returned - steps)})
    return records


def begun(service: Service, group: Optional[Group] = None) -> Agent:
    worker = service.worker(group)
    worker.ask("begin", run=RUN, kind="f32", keys=KEYS, seed=1)
    return worker


def arrived(worker: Agent, steps: int) -> int:
    """Steps that are stored, once it is so many or no more come in for 3 s."""
    began = changed = time.monotonic()
    count = 0
    while time.monotonic() < min(began + ARRIVAL, changed + 3):
        now = worker.ask("stored", run=RUN)["points"] // KEYS
        if now >= steps:
            return int(now)
        if now != count:
            count, changed = now, time.monotonic()
        time.sleep(0.1)
    return count


def sync(service: Service) -> None:
    spool = os.path.join(service.place.scratch, RUN, ".martlet")
    subprocess.run(
        [sys.executable, "-m", "martlet", "sync", spool],
        env=service.system.environment(service.place),
        check=True,
        capture_output=True,
        timeout=120,
    )


def summary(done: Record, stored: int) -> Record:
    kept = ("steps", "p50", "p99", "longest")
    return {**{key: done[key] for key in kept}, "lost": max(0, done["steps"] - stored)}


FAST, WORKING, SLEEPING = "as fast as it goes", "between work", "after sleep"
KILLED_FAST = "server killed, as fast as it goes"
PACED, KILLED = f"{KILL_PACE:,} steps a second, server up", f"{KILL_PACE:,} steps a second, server killed"
CASES = {
    FAST: fast,
    KILLED_FAST: server_killed_fast,
    PACED: paced,
    KILLED: server_killed,
    WORKING: working,
    SLEEPING: sleeping,
}


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("system", "case"))
    report.title(
        f"a log() call of {KEYS} values in the training thread, one client, medians of {options.repetitions}",
        f"between work, after sleep: {PACE} steps a second; in between the thread adds up 320 kB of numbers, or sleeps",
        f"{KILL_PACE:,} steps a second: between them the thread looks at the clock, and the processor forgets log()",
        "server killed: in the middle, and later started on the same port; beside it the same with a server that stays",
        "lost: steps whose log() had returned and that the store has not, 3 s after the last arrival",
    )
    report.table(COLUMNS, found)
    # Like for like: what a kill changes is seen where nothing else is different.
    for case in (FAST, KILLED_FAST):
        ours = find(found, system="martlet", case=case) or {}
        report.at_most(f"log() median µs, {case}", ours.get("p50"), 5)
        report.at_most(f"log() p99 µs, {case}", ours.get("p99"), 50)
    kept, gone = (find(found, system="martlet", case=case) or {} for case in (PACED, KILLED))
    report.at_most(
        "log() median, server killed, of that with a server that stays", ratio(gone.get("p50"), kept.get("p50")), 1.25
    )
    lost = [record["lost"] for record in found if record["system"] == "martlet" and "until" not in record["case"]]
    report.at_most("steps lost by any kill", max(lost, default=None), 0)


COLUMNS = (
    Column("system", "system"),
    Column("case", "case"),
    Column("p50 µs", "p50"),
    Column("p99 µs", "p99"),
    Column("longest µs", "longest"),
    Column("steps", "steps"),
    Column("lost", "lost"),
)
