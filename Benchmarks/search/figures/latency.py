"""`latency`: CPU of one ask and tell after so many trials, and memory a trial.

A program or a peer learns the trials at once; then a few trials are told and asked, and the median is taken. CPU is
that of the searching process, to the nanosecond: it hardly varies with what else the machine does.
"""

from __future__ import annotations

import math
import random
import sys
import time
from statistics import median
from typing import NamedTuple, Optional

from tracking.report import Report

from search import rows
from search.bench import Bench
from search.document import shown
from search.optimizers import RANDOM, Searcher
from search.optimizers.base import Optimizer, Task
from search.optimizers.martlet import Service
from search.spaces import Point, Space, Value, choice, real, space, whole

COLUMNS = ("algo", "d", "n", "cpu_ms_median", "wall_ms_median", "wall_ms_max", "bytes_per_trial", "repetitions")
REPETITIONS = 9
LONGEST_ASK = 20.0  # CPU seconds; sizes at which an ask can be expected to take longer are left out
LONGEST_CELL = 30.0  # seconds of repetitions
LONGEST_LOAD = 60.0  # seconds of asking and telling where trials cannot be learnt at once
AIMS = (  # method, dimensions, trials, most milliseconds
    ("tpe", 10, 10_000, 5.0),
    ("tpe", 30, 10_000, 15.0),
    ("gp", 10, 100, 60.0),
    ("gp", 10, 1_000, 800.0),
    ("cmaes", 10, 1_000, 0.5),
    ("nsga2", 10, 1_000, 0.5),
)
CHOICES = "abcd"


class Cell(NamedTuple):
    cpu: float  # milliseconds, the median
    wall: float
    longest: float
    memory: Optional[float]  # bytes a trial
    repetitions: int


def measure(bench: Bench, report: Report) -> None:
    cells = _known(bench)
    for dimension in bench.options.dimensions:
        for searcher in bench.searchers():
            if searcher.name == RANDOM:
                continue
            for size in bench.options.sizes:
                key = (searcher.name, dimension, size)
                before = [(other, cells[name, d, other].cpu) for name, d, other in cells if (name, d) == key[:2]]
                if key in cells or _would_last(size, before) or bench.deadline.leaves("cells of latency"):
                    continue
                try:
                    cells[key] = _measured(bench, searcher, dimension, size)
                except Exception as error:
                    report.failed(f"latency: {searcher.name}, {dimension} dimensions, {size} trials: {error!r}"[:400])
                    break
                _keep(bench, searcher, key, cells[key])
    _tables(bench, report, cells)


def _would_last(size: int, smaller: list[tuple[int, float]]) -> bool:
    """Whether an ask takes too long even where its cost grows no faster than the trials."""
    return any(cpu * size / other > 1e3 * LONGEST_ASK for other, cpu in smaller if other < size)


def _known(bench: Bench) -> dict[tuple[str, int, int], Cell]:
    cells = {}
    for is_ours in (False, True):
        for row in rows.read(bench.places.of(is_ours, "latency.csv")):
            memory = float(row["bytes_per_trial"]) if row["bytes_per_trial"] else None
            cells[row["algo"], int(row["d"]), int(row["n"])] = Cell(
                float(row["cpu_ms_median"]),
                float(row["wall_ms_median"]),
                float(row["wall_ms_max"]),
                memory,
                int(row["repetitions"]),
            )
    return cells


def _keep(bench: Bench, searcher: Searcher, key: tuple[str, int, int], cell: Cell) -> None:
    memory = "" if cell.memory is None else f"{cell.memory:.0f}"
    figures = [f"{cell.cpu:.4f}", f"{cell.wall:.4f}", f"{cell.longest:.4f}", memory, cell.repetitions]
    rows.append(bench.places.of(searcher.method is not None, "latency.csv"), COLUMNS, [[*key, *figures]])
    print(f"    {key[0]}, {key[1]} dimensions, {key[2]} trials: {cell.cpu:.3g} ms", file=sys.stderr, flush=True)


def domain(dimensions: int) -> Space:
    """Of ten parameters seven are floats, four of them on a logarithmic scale, two are ints, and one is a choice."""
    parameters = []
    for place in range(dimensions):
        if place % 10 == 9:
            parameters.append(choice(f"c{place}", CHOICES))
        elif place % 10 in (4, 8):
            parameters.append(whole(f"i{place}", 1, 100, place % 2 == 0))
        else:
            parameters.append(real(f"x{place}", 1e-3, 1, place % 2 == 0))
    return space(*parameters)


def loss(point: Point) -> float:
    def part(value: Value) -> float:
        if isinstance(value, str):
            return 0.1 * CHOICES.index(value)
        return (value / 100 - 0.3) ** 2 if isinstance(value, int) else (math.log10(value) + 1.5) ** 2

    return sum(part(value) for value in point.values())


def _measured(bench: Bench, searcher: Searcher, dimension: int, size: int) -> Cell:
    """In a process of its own, where it is Martlet."""
    service = Service(bench.options.command)
    try:
        task = Task(domain(dimension), 0, size + REPETITIONS + 1)
        optimizer = searcher.begin(task, service)
        before = optimizer.memory()
        _teach(optimizer, task.space, size)
        trial = optimizer.ask()  # what is put off until the first ask is not in the figure
        after = optimizer.memory()
        cpu: list[float] = []
        wall: list[float] = []
        while len(cpu) < REPETITIONS and sum(wall) < 1e3 * LONGEST_CELL:
            cpu_began, began = optimizer.cpu(), time.perf_counter()
            optimizer.tell(trial.number, [loss(trial.point)])
            trial = optimizer.ask()
            wall.append(1e3 * (time.perf_counter() - began))
            cpu.append(1e3 * (optimizer.cpu() - cpu_began))
        optimizer.close()
        memory = None if before is None or after is None else (after - before) / size
        return Cell(median(cpu), median(wall), max(wall), memory, len(cpu))
    finally:
        service.close()


def _teach(optimizer: Optimizer, where: Space, size: int) -> None:
    source = random.Random(1)
    points = [where.draw(source) for _ in range(size)]
    try:
        optimizer.load([(point, [loss(point)]) for point in points])
    except NotImplementedError:
        began = time.monotonic()
        for place in range(size):
            trial = optimizer.ask()
            optimizer.tell(trial.number, [loss(trial.point)])
            if time.monotonic() - began > LONGEST_LOAD:
                raise TimeoutError(f"only {place + 1} trials in {LONGEST_LOAD:.0f} s") from None


def _tables(bench: Bench, report: Report, cells: dict[tuple[str, int, int], Cell]) -> None:
    names = dict.fromkeys(name for name, _, _ in cells)
    for dimension in bench.options.dimensions:
        bench.document.title(f"latency: CPU milliseconds of an ask and a tell, {dimension} parameters")
        table = []
        for name in names:
            found = [cells.get((name, dimension, size)) for size in bench.options.sizes]
            if any(found):
                memory = found[-1].memory if found[-1] else None
                table.append([name, *[shown(cell.cpu if cell else None) for cell in found], shown(memory)])
        sizes = [f"{size:,} trials" for size in bench.options.sizes]
        bench.document.table(["", *sizes, f"bytes a trial, {sizes[-1]}"], table)
    for (name, dimension, size), known in cells.items():
        report.add("latency", {"searcher": name, "dimensions": dimension, "trials": size, **known._asdict()})
    for method, dimension, size, most in AIMS:
        if method in bench.options.methods and dimension in bench.options.dimensions and size in bench.options.sizes:
            cell = cells.get((bench.ours(method).name, dimension, size))
            what = f"latency: {method}, {dimension} parameters, {size:,} trials, CPU ms"
            report.at_most(what, cell.cpu if cell else None, most)
