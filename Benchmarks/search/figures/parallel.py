"""`parallel`: what several trials at a time cost and bring: trials, and simulated time, to a given loss.

The loss is random search's median after `AIM` trials, one after the other. Problems are those whose spaces a grid can
walk through: tables of trained networks, and a test function on a grid of its own.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple, Optional

from tracking.report import Report

from search.bench import Bench
from search.document import shown
from search.figures import running
from search.optimizers import RANDOM, Searcher
from search.problems.base import Given, Problem
from search.problems.functions import training
from search.scoring import reaching
from search.scoring.regret import Regrets, incumbents
from search.spaces import Point, Value, number, space, whole
from search.steps import Key, Step

AT_ONCE = (1, 4, 8)
AIM = 50


class Reached(NamedTuple):
    trials: float  # infinite: never
    time: float  # simulated; a trial takes 1, in the median


def measure(bench: Bench, report: Report) -> None:
    problems = [problem for problem in bench.problems if problem.space.is_finite] + [stepped()]
    searchers = [Searcher(RANDOM), bench.ours("grid", order="seeded"), bench.ours("auto")]
    running.run(bench, report, "parallel", running.jobs(bench, problems, searchers, AT_ONCE))
    goals = _goals(bench, problems)
    rows = []
    for searcher in searchers:
        alone = _reached(bench, searcher, 1, goals)
        for count in AT_ONCE:
            found = _reached(bench, searcher, count, goals)
            if found:
                gain = _gain(alone, found)
                trials = reaching.middle([item.trials for item in found.values()])
                time = reaching.middle([item.time for item in found.values()])
                times = sum(item.trials < math.inf for item in found.values())
                cells = [reaching.shown(trials), reaching.shown(time, 1), shown(gain), f"{times} of {len(found)}"]
                rows.append([searcher.name, str(count), *cells])
                figures = {"trials": trials, "time": time, "gain": gain, "reached": times, "runs": len(found)}
                report.add("parallel", {"searcher": searcher.name, "at_once": count, **figures})
    bench.document.title(f"parallel: to random search's median loss after {AIM} trials")
    bench.document.note(f"On {', '.join(problem.name for problem in problems)}.")
    titles = [
        "",
        "at a time",
        "trials, median",
        "time, median",
        "times sooner than one at a time",
        "runs that reach it",
    ]
    bench.document.table(titles, rows)


def _goals(bench: Bench, problems: Sequence[Problem]) -> dict[str, float]:
    """The loss of each problem."""
    levels: Regrets = {}
    for key, steps in bench.runs.all(1).items():
        if key.searcher == RANDOM:
            levels.setdefault((key.problem, RANDOM), {})[key.seed] = incumbents(steps)
    goals = {problem.name: reaching.goal(levels, problem.name, AIM) for problem in problems}
    return {name: goal for name, goal in goals.items() if goal is not None}


def _reached(bench: Bench, searcher: Searcher, count: int, goals: dict[str, float]) -> dict[tuple[str, int], Reached]:
    """By problem and seed."""
    runs = bench.runs.all(count)
    mine = {key: steps for key, steps in runs.items() if key.searcher == searcher.name and key.problem in goals}
    return {(key.problem, key.seed): _first(key, steps, goals) for key, steps in mine.items()}


def _first(key: Key, steps: Sequence[Step], goals: dict[str, float]) -> Reached:
    place = reaching.first(incumbents(steps), goals[key.problem])
    return Reached(place, steps[int(place) - 1].clock if place < math.inf else math.inf)


def _gain(alone: dict[tuple[str, int], Reached], found: dict[tuple[str, int], Reached]) -> Optional[float]:
    """The geometric mean of how many times sooner, over runs that reach it both ways."""
    ratios = [
        math.log(alone[key].time / item.time)
        for key, item in found.items()
        if key in alone and max(alone[key].time, item.time) < math.inf
    ]
    return math.exp(fmean(ratios)) if ratios else None


def stepped() -> Problem:
    """`log_hpo5` at a few values of each parameter: 2,625 points."""
    base = training()
    grid: dict[str, list[Value]] = {
        "lr": [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1],
        "wd": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2],
        "bs": [16, 32, 64, 128, 256],
        "drop": [0.0, 0.1, 0.2, 0.3, 0.5],
        "warm": [0, 5, 10],
    }

    def given(point: Point) -> Given:
        return base.function({name: grid[name][int(number(place))] for name, place in point.items()})

    def optimum() -> float:
        return min(base.function(dict(zip(grid, values))).values[0] for values in itertools.product(*grid.values()))

    domain = space(*[whole(name, 0, len(values) - 1) for name, values in grid.items()])
    return dataclasses.replace(base, name="log_hpo5-grid", space=domain, function=given, optimum=optimum)
