"""How many trials it takes to reach a regret."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

from search.optimizers import RANDOM
from search.scoring.regret import Regrets
from search.scoring.scores import TIE


def goal(regrets: Regrets, problem: str, trials: int) -> Optional[float]:
    """Random search's median regret after so many trials; None: it has no runs as long."""
    runs = regrets.get((problem, RANDOM), {})
    return middle([values[trials - 1] for values in runs.values() if len(values) >= trials])


def first(values: Sequence[float], goal: float) -> float:
    """The trial, from 1 on, at which a regret is reached; infinite: never."""
    return next((place for place, value in enumerate(values, 1) if value <= goal + TIE), math.inf)


def middle(values: Sequence[float]) -> Optional[float]:
    """The lower median, which infinite values may be part of."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def shown(value: Optional[float], digits: int = 0) -> str:
    return "–" if value is None or math.isinf(value) else f"{value:.{digits}f}"
