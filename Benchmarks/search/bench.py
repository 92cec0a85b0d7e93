"""What every section of the benchmark works with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Optional

from search.document import Document
from search.optimizers import PEERS, RANDOM, Searcher
from search.optimizers.martlet import Service
from search.options import Options
from search.problems.base import Problem
from search.rows import Places, Runs


class Deadline:
    """When nothing new is begun any more, and what was not."""

    def __init__(self, seconds: Optional[float]) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self.left: dict[str, int] = {}

    @property
    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def leaves(self, what: str) -> bool:
        """Whether it is too late for one more of these; then it is counted."""
        if self.is_over:
            self.left[what] = self.left.get(what, 0) + 1
            return True
        return False


@dataclass(frozen=True)
class Bench:
    options: Options
    problems: tuple[Problem, ...]
    peers: tuple[str, ...]  # those that are installed
    places: Places
    runs: Runs
    service: Service
    deadline: Deadline
    document: Document = field(default_factory=Document)

    def ours(self, method: str, **options: str) -> Searcher:
        return Searcher(f"{self.options.name}:{method}", method, options)

    def searchers(self) -> list[Searcher]:
        """Random search, the peers, and Martlet's methods."""
        others = [Searcher(name) for name in (RANDOM, *PEERS) if name == RANDOM or name in self.peers]
        return others + [self.ours(method) for method in self.options.methods]
