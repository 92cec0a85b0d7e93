"""What was measured, kept in CSV files: a row once written is not measured again, so that a benchmark runs in pieces.

Rows of the peers lie in `peers/`; those of Martlet in a folder named after the program's own bytes, since another build
is another program. Files that ROWS names are read as well, and never written.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from search import condensed
from search.simulation import Run
from search.steps import Key, Step

# As other harnesses of the same set write them.
RUN_COLUMNS = (
    *("set", "problem", "kind", "algo", "seed", "workers", "trial"),
    *("true", "seen", "constraints", "latency_s", "clock", "invalid"),
)


class Places(NamedTuple):
    """Where rows are written."""

    peers: Path
    ours: Path

    def of(self, is_ours: bool, file: str) -> Path:
        return (self.ours if is_ours else self.peers) / file


def places(out: Path, name: str, program: Path) -> Places:
    """`name` is what Martlet is called in tables: rows of another name are others."""
    digest = hashlib.sha256()
    with program.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return Places(out / "peers", out / f"{name}-{digest.hexdigest()[:12]}")


def append(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """In one write. What a killed program left of a line stays a line of its own, which `read` passes over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text)
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            writer.writerow(columns)
        elif file.seek(size - 1) and file.read(1) != b"\n":
            text.write("\r\n")
        writer.writerows(rows)
        file.write(text.getvalue().encode())


def read(path: Path) -> Iterator[dict[str, str]]:
    """The whole rows of a file; none where there is none."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if all(isinstance(cell, str) for cell in row.values()):
                    yield row


# Runs


class Runs:
    """All runs that are finished, those of Martlet and those of the peers."""

    def __init__(self, places: Places, more: Sequence[str] = ()) -> None:
        """`more`: paths or patterns of files of runs, condensed ones too.

        Raises FileNotFoundError where one names nothing, ValueError where a condensed one is something else.
        """
        self._places = places
        self._steps: dict[Key, list[Step]] = {}
        for pattern in more:
            paths = sorted(glob.glob(pattern))
            if not paths:
                raise FileNotFoundError(f"there is no {pattern}")
            for path in map(Path, paths):
                if path.name.endswith(condensed.SUFFIX):
                    for key, steps in condensed.read(path):
                        self._keep(key, steps)
                else:
                    self._take(read(path))
        for is_ours in (False, True):
            self._take(read(places.of(is_ours, "runs.csv")))

    def _take(self, rows: Iterable[Mapping[str, str]]) -> None:
        """The rows of a run follow each other. A longer run stands for a shorter one with the same key."""
        key, steps = Key("", "", 0, 0), list[Step]()
        for row in rows:
            of = Key(row["problem"], row["algo"], int(row["seed"]), int(row["workers"]))
            if of != key or int(row["trial"]) == 1:
                self._keep(key, steps)
                key, steps = of, []
            if int(row["trial"]) == len(steps) + 1:
                values = [_numbers(row[column]) for column in ("true", "seen", "constraints")]
                steps.append(Step(values[0], values[1], values[2], float(row["latency_s"]), float(row["clock"])))
        self._keep(key, steps)

    def _keep(self, key: Key, steps: list[Step]) -> None:
        if len(steps) > self.length(key):
            self._steps[key] = steps

    def length(self, key: Key) -> int:
        """The trials of a finished run; 0: there is none."""
        return len(self._steps.get(key, ()))

    def of(self, searchers: Iterable[str]) -> dict[Key, list[Step]]:
        names = frozenset(searchers)
        return {key: steps for key, steps in self._steps.items() if key.searcher in names}

    def all(self, workers: int) -> dict[Key, list[Step]]:
        """Those with so many trials under way, in an order that does not depend on when they were run."""
        return {key: self._steps[key] for key in sorted(self._steps) if key.workers == workers}

    def add(self, key: Key, group: str, kind: str, run: Run, is_ours: bool) -> None:
        rows = [
            [group, key.problem, kind, key.searcher, key.seed, key.workers, place]
            + [_words(trial.outcome.true, 9), _words(trial.outcome.seen, 9), _words(trial.outcome.constraints, 5)]
            + [f"{trial.latency:.5f}", f"{trial.clock:.3f}", run.invalid]
            for place, trial in enumerate(run.trials, 1)
        ]
        append(self._places.of(is_ours, "runs.csv"), RUN_COLUMNS, rows)
        self._take({column: str(cell) for column, cell in zip(RUN_COLUMNS, row)} for row in rows)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _words(values: Iterable[float], digits: int) -> str:
    return " ".join(f"{value:.{digits}g}" for value in values)
