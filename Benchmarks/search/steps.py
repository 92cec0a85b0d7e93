"""A run and what came of its trials."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    problem: str
    searcher: str
    seed: int
    workers: int


class Step(NamedTuple):
    """A finished trial of a run."""

    true: list[float]
    seen: list[float]
    constraints: list[float]
    latency: float
    clock: float
