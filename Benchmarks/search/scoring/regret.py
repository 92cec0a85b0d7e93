"""What a run has not reached yet, after each of its trials.

One objective: (incumbent − optimum) / (random search's median first value − optimum); the incumbent is the true value
of the best point seen so far that meets the constraints. Two objectives: 1 − hypervolume / that of the whole front.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from search.optimizers import RANDOM
from search.problems.base import Problem
from search.scoring import hypervolume
from search.steps import Key, Step

Regrets = dict[tuple[str, str], dict[int, list[float]]]  # problem and searcher; seed; one number a trial


def incumbents(steps: Sequence[Step]) -> list[float]:
    """Before anything meets the constraints, the worst of the whole run stands for it."""
    best, current = math.inf, max(step.true[0] for step in steps)
    found = []
    for step in steps:
        if all(constraint <= 0 for constraint in step.constraints) and step.seen[0] < best:
            best, current = step.seen[0], step.true[0]
        found.append(current)
    return found


def regrets(problems: Sequence[Problem], runs: Mapping[Key, Sequence[Step]]) -> Regrets:
    """Of the runs on these problems. Where an optimum is not known, the best that any of them reached stands for it."""
    found: Regrets = {}
    for problem in problems:
        mine = {key: steps for key, steps in runs.items() if key.problem == problem.name}
        measure = _fronts if problem.space.objectives > 1 else _losses
        for key, values in measure(problem, mine).items():
            found.setdefault((problem.name, key.searcher), {})[key.seed] = values
    return found


def _losses(problem: Problem, runs: Mapping[Key, Sequence[Step]]) -> dict[Key, list[float]]:
    reached = {key: incumbents(steps) for key, steps in runs.items()}
    if not reached:
        return {}
    lowest = min(min(values) for values in reached.values())
    optimum = problem.optimum() if problem.optimum else lowest
    if not problem.space.constraints:  # an optimum is known to so many digits, and lookups of tables are rounded
        optimum = min(optimum, lowest)
    firsts = [values[0] for key, values in reached.items() if key.searcher == RANDOM]
    first = median(firsts) if firsts else max(values[0] for values in reached.values())
    unit = max(1e-12, first - optimum)
    return {key: [max(0.0, (value - optimum) / unit) for value in values] for key, values in reached.items()}


def _fronts(problem: Problem, runs: Mapping[Key, Sequence[Step]]) -> dict[Key, list[float]]:
    return {
        key: [
            1 - area / problem.hypervolume
            for area in hypervolume.history([step.true for step in steps], problem.reference)
        ]
        for key, steps in runs.items()
    }
