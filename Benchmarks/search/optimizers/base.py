"""What drives a search: it is asked for points and told what came of them."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Optional

from search.spaces import Point, Space


class Task(NamedTuple):
    """What a search is made for."""

    space: Space
    seed: int
    budget: Optional[int] = None  # trials, a hint
    workers: int = 1  # trials under way at a time, a hint


class Trial(NamedTuple):
    number: int
    point: Point


class Optimizer(ABC):
    """One search. `close` gives back what it holds."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def ask(self) -> Trial: ...

    @abstractmethod
    def tell(
        self, trial: int, values: Sequence[float], constraints: Sequence[float] = (), state: str = "complete"
    ) -> None:
        """`state` is complete, failed or pruned."""

    def report(self, trial: int, step: int, value: float) -> bool:
        """A value on the way; whether the trial is to stop."""
        return False

    def load(self, trials: Sequence[tuple[Point, Sequence[float]]]) -> None:
        """Finished trials to learn from, all at once. Raises NotImplementedError where there is no such way."""
        raise NotImplementedError

    def cpu(self) -> float:
        """CPU seconds so far of who searches."""
        return time.process_time()

    def memory(self) -> Optional[int]:
        """Resident bytes of who searches; None: not known apart from others."""
        return None

    def close(self) -> None:
        """Nothing may be asked of it from then on."""
        return None


class Random(Optimizer):
    """Random search, which scores are relative to."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._source = random.Random(task.seed)
        self._count = 0

    def ask(self) -> Trial:
        self._count += 1
        return Trial(self._count - 1, self.task.space.draw(self._source))

    def tell(
        self, trial: int, values: Sequence[float], constraints: Sequence[float] = (), state: str = "complete"
    ) -> None:
        return None

    def load(self, trials: Sequence[tuple[Point, Sequence[float]]]) -> None:
        return None
