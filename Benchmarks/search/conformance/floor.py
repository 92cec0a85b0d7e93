"""Checks that a method searches better than chance, on two easy functions.

The lowest of 100 trials must be below the median of 301 random searches of 100 trials: in at least 4 of 5 seeds on each
function, which random search passes with a probability of 3.5 %. Methods of generations or local moves run 20 seeds and
must win 27 of the 40 runs (2 %): 100 trials are five generations, and one seed says little.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from statistics import median
from typing import Any, Callable

from search.conformance.outcomes import SPHERE, sphere
from search.conformance.subject import GENERATIONS, MODEL_FREE, Skipped, Subject, need
from search.problems.functions import branin
from search.spaces import Space, number, real, space

TRIALS = 100
SEARCHES = 301
PLANE = space(real("a", -5, 10), real("b", 0, 15))


def tilted_branin(point: Mapping[str, Any]) -> float:
    """Branin's function with one of its three minima made the lowest."""
    a, b = number(point["a"]), number(point["b"])
    return branin([a, b]) + 0.5 * (a - math.pi) ** 2


FUNCTIONS: tuple[tuple[str, Space, Callable[[Mapping[str, Any]], float]], ...] = (
    ("sphere", SPHERE, sphere),
    ("branin", PLANE, tilted_branin),
)


def beat_chance(subject: Subject) -> str:
    if subject.method in MODEL_FREE:
        raise Skipped("it has no model")
    is_slow = subject.method in GENERATIONS
    seeds = 20 if is_slow else 5
    won = {}
    for name, domain, loss in FUNCTIONS:
        source = random.Random(20)
        level = median(min(loss(domain.draw(source)) for _ in range(TRIALS)) for _ in range(SEARCHES))
        best = (min(map(loss, subject.trace(domain, seed, TRIALS, loss=loss))) for seed in range(seeds))
        won[name] = sum(value < level for value in best)
    words = ", ".join(f"{name} {count} of {seeds}" for name, count in won.items())
    if is_slow:
        need(sum(won.values()) >= 27, f"better than random search's median in {words}; 27 of 40 are asked")
    else:
        need(min(won.values()) >= 4, f"better than random search's median in {words}; 4 of 5 are asked")
    return words
