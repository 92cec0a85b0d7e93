"""A problem: a space, what a point of it gives, and what is known of the best."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional

from search.spaces import Point, Space


class Given(NamedTuple):
    """What a function answers: the objectives, and the constraints on outcomes."""

    values: Sequence[float]
    constraints: Sequence[float] = ()


class Outcome(NamedTuple):
    seen: list[float]  # with noise, where the problem has some
    true: list[float]
    constraints: list[float]


@dataclass(frozen=True)
class Problem:
    name: str
    kind: str  # synthetic, noisy, constrained, tabular, surrogate or mo (several objectives)
    space: Space
    function: Callable[[Point], Given]
    optimum: Optional[Callable[[], float]] = None  # None: the best that any run reached stands for it
    noise: float = 0.0  # standard deviation of what is added to each value
    reference: tuple[float, float] = (0.0, 0.0)  # of the hypervolume, with two objectives
    hypervolume: float = 0.0  # of the whole front, with two objectives

    def evaluate(self, point: Point, source: random.Random) -> Outcome:
        given = self.function(point)
        true = [float(value) for value in given.values]
        seen = [value + self.noise * source.gauss(0, 1) for value in true] if self.noise else true
        return Outcome(seen, true, [float(value) for value in given.constraints])
