"""Who searches, by name: random search, the peers, and Martlet's methods as `NAME:METHOD`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from search.optimizers.base import Optimizer, Random, Task
from search.optimizers.martlet import Martlet, Service
from search.optimizers.nevergrad import Nevergrad
from search.optimizers.optuna import Optuna

RANDOM = "random"
OPTUNA = {"optuna-tpe": "tpe", "optuna-gp": "gp", "optuna-cmaes": "cmaes", "optuna-nsga2": "nsga2"}
NEVERGRAD = "nevergrad-ngopt"
PEERS = (*OPTUNA, NEVERGRAD)
SLOW_PEERS = ("optuna-gp",)  # those that need a minute for a run where others need seconds
NAMESAKES = {"tpe": "optuna-tpe", "gp": "optuna-gp", "cmaes": "optuna-cmaes", "nsga2": "optuna-nsga2"}
SINGLE_OBJECTIVE = ("optuna-cmaes", "cmaes", "de", "ga", "tabu", "anneal")
PACKAGES = {
    "optuna-tpe": ("optuna",),
    "optuna-gp": ("optuna", "torch"),
    "optuna-cmaes": ("optuna", "cmaes"),
    "optuna-nsga2": ("optuna",),
    NEVERGRAD: ("nevergrad",),
}


@dataclass(frozen=True)
class Searcher:
    """A way to search, as tables name it."""

    name: str
    method: Optional[str] = None  # of Martlet's; None: a peer's or random search
    options: Mapping[str, Any] = field(default_factory=dict)  # the method's own

    def can_search(self, objectives: int) -> bool:
        return objectives == 1 or (self.method or self.name) not in SINGLE_OBJECTIVE

    def begin(self, task: Task, service: Service) -> Optimizer:
        if self.method is not None:
            return Martlet(task, service.program(), self.method, self.options)
        if self.name == RANDOM:
            return Random(task)
        if self.name == NEVERGRAD:
            return Nevergrad(task)
        return Optuna(task, OPTUNA[self.name])


def missing_package(peer: str) -> Optional[str]:
    """The first of a peer's packages that is not installed here."""
    return next((name for name in PACKAGES[peer] if importlib.util.find_spec(name) is None), None)
