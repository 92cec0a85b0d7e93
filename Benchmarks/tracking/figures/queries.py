"""Reading back: a long series in as many buckets as a screen shows, and many runs side by side."""

from __future__ import annotations

import contextlib
import json
import statistics
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from tracking import api, bodies, seeding, systems, values
from tracking.options import Options
from tracking.processes import process_cpu
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service

SECTION = "queries"
BUCKETS = 2_000  # of the long series
COMPARED, COMPARED_STEPS, COMPARED_BUCKETS = 50, 10_000, 1_000
KEY = values.names(1)[0]
KIND = "f32"
LONGEST = 2.0  # seconds that one query is repeated
MAGIC = b"MARTLETS"

LONG, WINDOW, COMPARE = "long series", "1 % of it", "runs compared"


def measure(options: Options, report: Report, scratch: str) -> None:
    with report.cell("queries, martlet"), Service(systems.named("martlet"), scratch) as service:
        service.start()
        long = seeded(service, "long", 1, options.series)
        compared = seeded(service, "compared", COMPARED, COMPARED_STEPS)
        service.settle()
        service.stop()  # what is read comes from the file, as after any restart
        service.start()
        service.group.settle(1.0)
        for _ in range(options.repetitions):
            for record in queries(service, long, compared, options.series, report):
                report.add(SECTION, {"system": "martlet", **record})
    if options.is_full:
        peers(options, report, scratch)
    show(options, report)


def seeded(service: Service, name: str, runs: int, steps: int) -> list[str]:
    """Ended runs of one series each."""
    connection = service.api()
    return [
        seeding.ended_run(connection, f"{name}-{number}", bodies.losses(KIND, 1, steps, number))
        for number in range(runs)
    ]


def queries(service: Service, long: Sequence[str], compared: Sequence[str], steps: int, report: Report) -> list[Record]:
    first = steps // 2
    asked: list[tuple[str, dict[str, Any]]] = [
        (LONG, {"runs": long, "keys": [KEY], "buckets": BUCKETS}),
        (
            WINDOW,
            {"runs": long, "keys": [KEY], "buckets": BUCKETS, "from_step": first, "to_step": first + steps // 100},
        ),
        (COMPARE, {"runs": compared, "keys": [KEY], "buckets": COMPARED_BUCKETS}),
    ]
    whole = values.losses(KIND, 1, steps, 0)[0]
    truth: dict[str, list[Sequence[float]]] = {
        LONG: [whole],
        WINDOW: [whole[first : first + steps // 100 + 1]],
        COMPARE: [values.losses(KIND, 1, COMPARED_STEPS, number)[0] for number in range(COMPARED)],
    }
    records = []
    for query, body in asked:
        for media in (api.JSON, api.SERIES):
            with report.cell(f"query of {query}, {media}"):
                connection = service.api()
                content = json.dumps(body).encode()

                def call(of: bytes = content, accept: str = media, over: api.Connection = connection) -> api.Answer:
                    return over.request("POST", "/series", of, accept=accept)

                answer = call()
                if answer.media != media:
                    raise RuntimeError(f"asked for {media}, the server answered {answer.media}")
                check(answer, truth[query])
                records.append({"query": query, "media": media, **timed(call, service.pid)})
    return records


def check(answer: api.Answer, truth: Sequence[Sequence[float]]) -> None:
    """No minimum and no maximum may be lost, and every point must be counted."""
    said = extremes(answer)
    wanted = [(min(column), max(column), len(column)) for column in truth]
    if said != wanted:
        wrong = next((pair for pair in zip(said, wanted) if pair[0] != pair[1]), (len(said), len(wanted)))
        raise RuntimeError(f"a wrong answer: {wrong[0]} instead of {wrong[1]} (minimum, maximum, points; or series)")


def extremes(answer: api.Answer) -> list[tuple[float, float, int]]:
    """Of each series the lowest and highest value, and how many points the answer stands for."""
    found = []
    for kind, series in in_json(answer) if answer.media == api.JSON else in_binary(answer):
        if kind == "raw":
            numbers = list(map(float, series["values"]))
            found.append((min(numbers), max(numbers), len(numbers)))
        else:
            lowest, highest = min(map(float, series["min"])), max(map(float, series["max"]))
            found.append((lowest, highest, int(sum(series["counts"]))))
    return found


Columns = Mapping[str, Sequence[Any]]


def in_json(answer: api.Answer) -> Iterator[tuple[str, Columns]]:
    for series in answer.json()["series"]:
        yield series["kind"], series


def in_binary(answer: api.Answer) -> Iterator[tuple[str, Columns]]:
    """A magic word, version, length of the JSON header, and then arrays of 8-byte words, as docs/api.md has it."""
    if answer.body[:8] != MAGIC:
        raise RuntimeError(f"a binary answer of {len(answer.body)} bytes that begins with {answer.body[:8]!r}")
    version, length = struct.unpack_from("<II", answer.body, 8)
    if version != 1:
        raise RuntimeError(f"a binary answer of version {version}")
    words = {"i64": "q", "f64": "d"}
    first = 16 + length
    for series in json.loads(answer.body[16 : 16 + length])["series"]:
        yield (
            series["kind"],
            {
                array["name"]: struct.unpack_from(
                    f"<{series['n']}{words[array['type']]}", answer.body, first + array["offset"]
                )
                for array in series["arrays"]
            },
        )


def timed(call: Callable[[], api.Answer], pid: int) -> Record:
    """Wall time of each of many calls, and the server's CPU over all of them."""
    call()
    walls: list[float] = []
    size, began, before = 0, time.perf_counter(), process_cpu(pid)
    while len(walls) < 3 or (time.perf_counter() - began < LONGEST and len(walls) < 500):
        start = time.perf_counter()
        size = len(call().body)
        walls.append((time.perf_counter() - start) * 1e3)
    cpu = (process_cpu(pid) - before) / len(walls) * 1e3
    walls.sort()
    return {"wall": statistics.median(walls), "p95": walls[len(walls) * 95 // 100], "cpu": cpu, "bytes": size}


def peers(options: Options, report: Report, scratch: str) -> None:
    if "mlflow" in options.peers and not systems.named("mlflow").missing():
        with report.cell("queries, mlflow"), Service(systems.named("mlflow"), scratch) as service:
            mlflow(service, options, report)
    if "tensorboard" in options.peers and not systems.named("tensorboard").missing():
        with report.cell("queries, tensorboard"), Service(systems.named("tensorboard"), scratch) as service:
            tensorboard(service, options, report)


def mlflow(service: Service, options: Options, report: Report) -> None:
    from tracking.systems.mlflow import SYSTEM

    service.start()
    worker = service.worker()
    long = worker.ask("seed", name="long", runs=1, steps=options.series, kind=KIND)["runs"]
    compared = worker.ask("seed", name="compared", runs=COMPARED, steps=COMPARED_STEPS, kind=KIND)["runs"]
    service.settle()
    for query, runs in ((LONG, long), (COMPARE, compared)):
        report.add(SECTION, {"system": "mlflow", "query": query, **peer_call(service, [SYSTEM.chart(runs)], 3)})


def tensorboard(service: Service, options: Options, report: Report) -> None:
    from tracking.systems.tensorboard import SYSTEM

    worker = service.worker()
    long = worker.ask("seed", name="long", runs=1, steps=options.series, kind=KIND)["runs"]
    compared = worker.ask("seed", name="compared", runs=COMPARED, steps=COMPARED_STEPS, kind=KIND)["runs"]
    service.start()
    for run, steps in ((long[0], options.series), (compared[-1], COMPARED_STEPS)):
        wait_for_step(service, SYSTEM.chart(run), steps - 1)
    service.settle()
    for query, runs in ((LONG, long), (COMPARE, compared)):
        calls = [SYSTEM.chart(run) for run in runs]
        report.add(SECTION, {"system": "tensorboard", "query": query, **peer_call(service, calls, 10)})


def wait_for_step(service: Service, path: str, step: int) -> None:
    """Until TensorBoard has read its files so far."""
    connection, deadline = api.Connection(service.place.port), time.monotonic() + 240
    while time.monotonic() < deadline:
        with contextlib.suppress(api.Refused, ValueError):
            points = connection.get(path)
            if points and points[-1][1] >= step:
                return
        time.sleep(0.5)
    raise TimeoutError(f"the points of {path} were not read in 240 s")


def peer_call(service: Service, paths: Sequence[str], repeats: int) -> Record:
    connection = api.Connection(service.place.port, timeout=300)
    walls, size, before = [], 0, service.group.cpu()
    for _ in range(repeats):
        start = time.perf_counter()
        size = sum(len(connection.request("GET", path).body) for path in paths)
        walls.append((time.perf_counter() - start) * 1e3)
    cpu = (service.group.cpu() - before) / repeats * 1e3
    return {"media": api.JSON, "wall": statistics.median(walls), "p95": max(walls), "cpu": cpu, "bytes": size}


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("system", "query", "media"))
    for record in found:
        ours = find(found, system="martlet", query=record["query"], media=api.JSON)
        if ours and record["system"] != "martlet":
            record["ratio"] = ratio(record["wall"], ours["wall"])
    report.title(
        f"queries; {LONG}: {options.series:,} points in {BUCKETS:,} buckets; "
        f"{COMPARE}: {COMPARED} × {COMPARED_STEPS:,} points in {COMPARED_BUCKETS:,}",
        "each repeated for up to 2 s on one connection; the answer's minimum, maximum and count are checked",
        "MLflow answers at most 320 points a run, TensorBoard 1,000 sampled ones (PEERS=all asks them)",
    )
    report.table(COLUMNS, found)
    for media in (api.JSON, api.SERIES):
        long = find(found, system="martlet", query=LONG, media=media) or {}
        compare = find(found, system="martlet", query=COMPARE, media=media) or {}
        report.at_most(f"server CPU ms, {LONG}, {media}", long.get("cpu"), 3)
        report.at_most(f"wall ms, {COMPARE}, {media}", compare.get("wall"), 100)


COLUMNS = (
    Column("system", "system"),
    Column("query", "query"),
    Column("answer", "media"),
    Column("server CPU ms", "cpu"),
    Column("wall ms p50", "wall"),
    Column("×", "ratio"),
    Column("p95", "p95"),
    Column("bytes", "bytes"),
)
