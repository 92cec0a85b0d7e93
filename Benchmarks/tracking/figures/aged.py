"""A store that has lived for a month, beside a fresh one that holds the same: runs were added, deleted, rewound and
continued, and the server was stopped, or killed, every day."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tracking import api, bodies, seeding, systems
from tracking.bodies import Rows
from tracking.figures.alone import load
from tracking.figures.queries import timed
from tracking.options import Options
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service

SECTION = "aged"
SEED = 20_260
DAYS = 30
NEW_RUNS, DELETED, REWOUND = 8, 4, 2  # a day
LONG_STEPS = 4_000  # a day, of the run that lasts all month
KEYS, KIND = 10, "f32"
LIMIT = 1.5
BUCKETS = 1_000
COMPARED = 50
FIGURES = (
    ("ingest", "ingest CPU s/M"),
    ("long", "long series, CPU ms"),
    ("compare", "runs compared, CPU ms"),
    ("list", "page of runs, CPU ms"),
    ("bytes", "bytes/pt"),
)


@dataclass
class Past:
    """One run: its rows are those of its seed from step 0 to `steps`, whatever happened in between."""

    seed: int
    steps: int
    id: str = ""
    pieces: int = 0  # each is a client of its own

    @property
    def name(self) -> str:
        return f"run-{self.seed}"

    def rows(self, first: int, end: int, seed: int = 0) -> Rows:
        """The steps from `first` to `end`, of its own seed unless another is asked for."""
        whole = bodies.losses(KIND, KEYS, end, seed or self.seed)
        columns = [column[first:] for column in whole.columns]
        return Rows(whole.names, range(first, end), whole.times[first:], columns)


class Piece(NamedTuple):
    """What happens to a run: rows to log, or a step to rewind to, or its end, or its deletion."""

    run: Past
    rows: tuple[int, int, int] | None = None  # first, end, seed
    rewind: int | None = None
    finish: bool = False
    delete: bool = False


@dataclass
class Month:
    """Seeded: the same things happen every time."""

    kept: list[Past] = field(default_factory=list)
    _source: random.Random = field(default_factory=lambda: random.Random(SEED))
    _seed: int = 1

    def days(self) -> Iterator[list[Piece]]:
        long = self._new(0)
        self.kept.append(long)
        for _ in range(DAYS):
            pieces = [Piece(long, rows=(long.steps, long.steps + LONG_STEPS, long.seed))]
            long.steps += LONG_STEPS
            for _ in range(NEW_RUNS):
                run = self._new(self._source.randrange(300, 5_000))
                pieces += [Piece(run, rows=(0, run.steps, run.seed)), Piece(run, finish=True)]
                self.kept.append(run)
            others = self.kept[1:]
            self._source.shuffle(others)
            for run in others[:DELETED]:
                pieces.append(Piece(run, delete=True))
                self.kept.remove(run)
            for run in others[DELETED : DELETED + REWOUND]:
                pieces += self._detour(run)
            yield pieces

    def _new(self, steps: int) -> Past:
        self._seed += 1
        return Past(self._seed, steps)

    def _detour(self, run: Past) -> list[Piece]:
        """The run goes on with what was not meant, is rewound to before that, and goes on as it should."""
        wrong = run.steps + self._source.randrange(100, 2_000)
        back = self._source.randrange(run.steps // 2, run.steps)
        right = run.steps + self._source.randrange(100, 2_000)
        pieces = [
            Piece(run, rows=(run.steps, wrong, SEED)),
            Piece(run, rewind=back - 1),
            Piece(run, rows=(back, right, run.seed)),
            Piece(run, finish=True),
        ]
        run.steps = right
        return pieces


def measure(options: Options, report: Report, scratch: str) -> None:
    with report.cell("aged store"), Service(systems.named("martlet"), scratch) as aged:
        month = Month()
        live(aged, month)
        with Service(systems.named("martlet"), scratch) as fresh:
            repeat(fresh, month)
            points = sum(run.steps for run in month.kept) * KEYS
            sizes = {service: rest(service) / points for service in (aged, fresh)}
            compare_content(aged, fresh, month)
            file = os.path.join(scratch, "aged.bodies")
            steps = max(bodies.ROWS, options.load // KEYS // 4)
            bodies.write(file, bodies.of(bodies.losses(KIND, KEYS, steps, 1), bodies.JSON_LINES))
            for repetition in range(options.repetitions):
                for service, store in ((aged, "aged"), (fresh, "fresh")):
                    record = figures(service, month, file, f"after-{repetition}")
                    report.add(SECTION, {"store": store, **record, "bytes": sizes[service], "points": points})
    show(report)


def live(service: Service, month: Month) -> None:
    """Puts a server through the month."""
    service.start()
    for number, pieces in enumerate(month.days()):
        connection = service.api()
        for piece in pieces:
            happen(connection, piece)
        if number % 7 == 6:
            service.kill()
        else:
            service.stop()
        service.start()


def happen(connection: api.Connection, piece: Piece) -> None:
    run = piece.run
    if not run.id:
        run.id = seeding.create(connection, run.name)
    if piece.rows:
        first, end, seed = piece.rows
        run.pieces += 1
        seeding.log(connection, run.id, run.rows(first, end, seed), f"piece-{run.pieces:04d}")
    if piece.rewind is not None:
        connection.post(f"/runs/{run.id}/rewind", {"step": piece.rewind})
    if piece.finish:
        connection.post(f"/runs/{run.id}/finish", {})
    if piece.delete:
        connection.request("DELETE", f"/runs/{run.id}?purge=true")


def repeat(service: Service, month: Month) -> None:
    """The same content, written once; the runs' ids there are kept beside their names."""
    service.start()
    connection = service.api()
    for run in month.kept:
        created = seeding.create(connection, run.name)
        seeding.log(connection, created, run.rows(0, run.steps), "piece-0001")
        if run is not month.kept[0]:
            connection.post(f"/runs/{created}/finish", {})


def rest(service: Service) -> int:
    """Bytes of the store once there is nothing left to do; the server is up again afterwards."""
    service.settle()
    service.stop()
    size = service.compact_size()
    service.start()
    return size


def compare_content(aged: Service, fresh: Service, month: Month) -> None:
    """Both must say the same of every run."""
    for run in month.kept:
        said = [contents(service, run.name) for service in (aged, fresh)]
        if said[0] != said[1] or said[0][0] != run.steps * KEYS:
            raise RuntimeError(f"{run.name}: the aged store says {said[0]}, the fresh one {said[1]}")


def contents(service: Service, name: str) -> tuple[int, str]:
    """Points of a run and its summary, but for the times at which the server noted something."""
    found = service.api().get(f"/runs/{identifier(service, name)}")
    kept = ("last", "last_step", "min", "min_step", "max", "max_step", "count", "nan_count")
    summary = {key: [metric.get(part) for part in kept] for key, metric in found["summary"].items()}
    return found["points"], json.dumps(summary, sort_keys=True)


def identifier(service: Service, name: str) -> str:
    found = service.api().get(f"/runs?project=bench&search={name}&limit=100")["items"]
    return next(str(run["id"]) for run in found if run["name"] == name)


def figures(service: Service, month: Month, file: str, name: str) -> Record:
    connection = service.api()
    compared = [identifier(service, run.name) for run in month.kept[1 : COMPARED + 1]]
    key = bodies.losses(KIND, 1, 1, 1).names[0]
    long = {"runs": [identifier(service, month.kept[0].name)], "keys": [key], "buckets": BUCKETS}
    side_by_side = {"runs": compared, "keys": [key], "buckets": BUCKETS}
    service.group.settle(1.0)
    run = seeding.create(connection, name)
    sender = load(service, run, file, api.LINES, most=10**6)
    before = service.group.cpu()
    points = sender.ask("send")["accepted"] * KEYS
    connection.post(f"/runs/{run}/finish", {})
    ingest = (service.settle() - before) / points * 1e6
    return {
        "ingest": ingest,
        "long": timed(lambda: connection.request("POST", "/series", long), service.pid)["cpu"],
        "compare": timed(lambda: connection.request("POST", "/series", side_by_side), service.pid)["cpu"],
        "list": timed(lambda: connection.request("GET", "/runs?project=bench&limit=100"), service.pid)["cpu"],
    }


def show(report: Report) -> None:
    found = medians(report.records(SECTION), ("store",))
    aged, fresh = find(found, store="aged"), find(found, store="fresh")
    report.title(
        f"a store after {DAYS} days, beside a fresh one of the same content",
        f"a day: {NEW_RUNS} runs added, {DELETED} deleted, {REWOUND} rewound and continued, a restart",
    )
    rows = [
        {
            "figure": title,
            "aged": aged[key] if aged else None,
            "fresh": fresh[key] if fresh else None,
            "ratio": ratio(aged[key], fresh[key]) if aged and fresh else None,
        }
        for key, title in FIGURES
    ]
    report.table(COLUMNS, rows if aged else [])
    for row in rows:
        figure = row["ratio"]
        assert figure is None or isinstance(figure, float)
        report.at_most(f"aged / fresh, {row['figure']}", figure, LIMIT)


COLUMNS = (Column("figure", "figure"), Column("aged", "aged"), Column("fresh", "fresh"), Column("aged/fresh", "ratio"))
