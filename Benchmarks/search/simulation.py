"""One search on one problem, with several trials under way and simulated run times."""

from __future__ import annotations

import random
import time
from typing import NamedTuple

from search.optimizers.base import Optimizer, Trial
from search.problems.base import Outcome, Problem

SPREAD = 0.5  # of the logarithm of a trial's run time, whose median is 1


class Finished(NamedTuple):
    """A finished trial, in the order in which they finish."""

    outcome: Outcome
    latency: float  # wall seconds of its ask and its tell
    clock: float  # simulated time at which it ended; a trial takes 1, in the median


class Run(NamedTuple):
    trials: list[Finished]
    invalid: int  # suggestions outside the space


class _Pending(NamedTuple):
    end: float
    place: int  # in the order of asking
    trial: Trial
    outcome: Outcome
    latency: float


def simulate(problem: Problem, optimizer: Optimizer, seed: int, trials: int, workers: int) -> Run:
    """All searches with a seed meet the same noise and the same run times."""
    source = random.Random(10007 * seed + 17)
    finished: list[Finished] = []
    pending: list[_Pending] = []
    asked = invalid = 0
    while len(finished) < trials:
        while len(pending) < workers and asked < trials:
            began = time.perf_counter()
            trial = optimizer.ask()
            latency = time.perf_counter() - began
            asked += 1
            invalid += bool(problem.space.faults(trial.point))
            outcome = problem.evaluate(trial.point, source)
            now = finished[-1].clock if finished else 0.0
            pending.append(_Pending(source.lognormvariate(0, SPREAD) + now, asked, trial, outcome, latency))
        pending.sort(key=lambda item: (item.end, item.place))
        first = pending.pop(0)
        began = time.perf_counter()
        optimizer.tell(first.trial.number, first.outcome.seen, first.outcome.constraints)
        latency = first.latency + time.perf_counter() - began
        finished.append(Finished(first.outcome, latency, first.end))
    return Run(finished, invalid)
