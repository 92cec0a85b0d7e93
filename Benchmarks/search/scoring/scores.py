"""Scores relative to random search, with confidence intervals from resampling problems and seeds.

score(t) = 100 · (1 − median regret / random search's median regret), both after t trials: 0 is random search, 100 the
optimum; at least −100, so that one problem does not decide everything.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple, Optional

from search.optimizers import RANDOM
from search.scoring.regret import Regrets

SOLVED = 1e-6  # a median regret of random search below this leaves nothing to measure
TIE = 1e-12
RESAMPLES = 2000
LEAST = -100.0
FEWEST_SHARED = 5  # problems below which ranks say nothing


class Interval(NamedTuple):
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A searcher after so many trials."""

    searcher: str
    problems: int
    seeds: tuple[int, int]  # fewest and most of a problem
    score: Interval
    regret: float  # the median over problems of the median over seeds
    area: float  # the mean regret over all trials so far
    rank: Optional[Interval]  # the mean, over the problems that all have run


@dataclass(frozen=True)
class Difference:
    """A searcher less another, on the same problems with the same seeds."""

    problems: int
    runs: int
    score: float
    other: float
    difference: Interval  # over problems
    won: int
    tied: int
    lost: int


class Scores:
    """All searchers after `trials` trials. Random search must have run."""

    def __init__(self, regrets: Regrets, trials: int) -> None:
        self.trials = trials
        self.solved: list[str] = []  # by random search
        self._values: dict[tuple[str, str], dict[int, list[float]]] = {}
        self._random: dict[str, float] = {}
        for (problem, searcher), runs in regrets.items():
            long_enough = {seed: values for seed, values in sorted(runs.items()) if len(values) >= trials}
            if long_enough:
                self._values[problem, searcher] = long_enough
        for problem in sorted({problem for problem, _ in self._values}):
            runs = self._values.get((problem, RANDOM), {})
            level = median(values[trials - 1] for values in runs.values()) if runs else None
            if level is not None and level >= SOLVED:
                self._random[problem] = level
            elif level is not None:
                self.solved.append(problem)
        self.problems = sorted(self._random)
        self.searchers = sorted({searcher for problem, searcher in self._values if problem in self._random})

    def has(self, problem: str, searcher: str) -> bool:
        return problem in self._random and (problem, searcher) in self._values

    def reached(self, problem: str, searcher: str) -> list[float]:
        """The regret after all trials, one a seed."""
        return [values[self.trials - 1] for values in self._values[problem, searcher].values()]

    def score(self, problem: str, values: Sequence[float]) -> float:
        return max(LEAST, 100 * (1 - median(values) / self._random[problem]))

    def standings(self) -> list[Standing]:
        """The best first."""
        return sorted((self._standing(searcher) for searcher in self.searchers), key=lambda item: -item.score.mean)

    def shared(self) -> list[str]:
        """The problems that all have run."""
        return [name for name in self.problems if all(self.has(name, searcher) for searcher in self.searchers)]

    def difference(self, searcher: str, other: str) -> Optional[Difference]:
        """None: on fewer than two problems both have run with a seed."""
        mine, theirs, won, tied, lost = [], [], 0, 0, 0
        for problem in self.problems:
            if not (self.has(problem, searcher) and self.has(problem, other)):
                continue
            ours, others = self._values[problem, searcher], self._values[problem, other]
            pairs = [(ours[seed][self.trials - 1], others[seed][self.trials - 1]) for seed in ours if seed in others]
            if not pairs:
                continue
            mine.append(self.score(problem, [first for first, _ in pairs]))
            theirs.append(self.score(problem, [second for _, second in pairs]))
            won += sum(first < second - TIE for first, second in pairs)
            lost += sum(first > second + TIE for first, second in pairs)
            tied += sum(abs(first - second) <= TIE for first, second in pairs)
        if len(mine) < 2:
            return None
        differences = [first - second for first, second in zip(mine, theirs)]
        interval = resampled(differences, random.Random(f"{searcher} {other}"))
        return Difference(len(mine), won + tied + lost, fmean(mine), fmean(theirs), interval, won, tied, lost)

    def _standing(self, searcher: str) -> Standing:
        problems = [name for name in self.problems if self.has(name, searcher)]
        reached = {name: self.reached(name, searcher) for name in problems}
        areas = [
            fmean(fmean(values[: self.trials]) for values in self._values[name, searcher].values()) for name in problems
        ]
        counts = sorted(len(values) for values in reached.values())
        return Standing(
            searcher,
            len(problems),
            (counts[0], counts[-1]),
            self._interval(reached, random.Random(searcher)),
            median(median(values) for values in reached.values()),
            fmean(areas),
            self._rank(searcher),
        )

    def _interval(self, reached: dict[str, list[float]], source: random.Random) -> Interval:
        """Problems are drawn anew, and seeds within them."""
        names = list(reached)
        means = []
        for _ in range(RESAMPLES):
            drawn = source.choices(names, k=len(names))
            means.append(fmean(self.score(name, source.choices(reached[name], k=len(reached[name]))) for name in drawn))
        return between(fmean(self.score(name, values) for name, values in reached.items()), means)

    def _rank(self, searcher: str) -> Optional[Interval]:
        shared = self.shared()
        if len(shared) < FEWEST_SHARED or len(self.searchers) < 2:
            return None
        ranks = []
        for name in shared:
            levels = [median(self.reached(name, other)) for other in self.searchers]
            mine = median(self.reached(name, searcher))
            better = sum(level < mine - TIE for level in levels)
            equal = sum(abs(level - mine) <= TIE for level in levels)
            ranks.append(better + (equal + 1) / 2)
        return resampled(ranks, random.Random(searcher))


def resampled(values: Sequence[float], source: random.Random) -> Interval:
    """The mean, and where it lies in 95 % of the samples drawn from the values."""
    return between(fmean(values), [fmean(source.choices(values, k=len(values))) for _ in range(RESAMPLES)])


def between(mean: float, means: list[float]) -> Interval:
    """A mean with where 95 % of the means of samples lie."""
    means.sort()
    return Interval(means[round(0.025 * (len(means) - 1))], mean, means[round(0.975 * (len(means) - 1))])
