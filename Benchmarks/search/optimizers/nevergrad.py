"""Nevergrad's own choice among its optimizers, NGOpt."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

from search.optimizers.base import Optimizer, Task, Trial
from search.spaces import Parameter, Point

USUAL_BUDGET = 200  # trials, where a task names none


class Nevergrad(Optimizer):
    def __init__(self, task: Task) -> None:
        super().__init__(task)
        warnings.filterwarnings("ignore")
        nevergrad = importlib.import_module("nevergrad")
        axes = {parameter.name: _axis(nevergrad.p, parameter) for parameter in task.space.parameters}
        whole = nevergrad.p.Dict(**axes)
        whole.random_state.seed(task.seed)
        make = nevergrad.optimizers.registry["NGOpt"]
        self._optimizer = make(whole, budget=task.budget or USUAL_BUDGET, num_workers=task.workers)
        if task.space.objectives > 1:
            self._optimizer.num_objectives = task.space.objectives
        self._candidates: dict[int, Any] = {}
        self._count = 0

    def ask(self) -> Trial:
        candidate = self._optimizer.ask()
        point: Point = {}
        for parameter in self.task.space.ordered:
            if parameter.is_active(point):
                value = candidate.value[parameter.name]
                point[parameter.name] = value if parameter.kind == "categorical" else parameter.nearest(value)
        number, self._count = self._count, self._count + 1
        self._candidates[number] = candidate
        return Trial(number, point)

    def tell(
        self, trial: int, values: Sequence[float], constraints: Sequence[float] = (), state: str = "complete"
    ) -> None:
        candidate = self._candidates.pop(trial)
        losses = list(values) if len(values) > 1 else values[0]
        if constraints:
            self._optimizer.tell(candidate, losses, list(constraints))
        else:
            self._optimizer.tell(candidate, losses)


def _axis(kinds: Any, parameter: Parameter) -> Any:
    if parameter.kind == "categorical":
        return kinds.Choice(list(parameter.choices))
    make = kinds.Log if parameter.is_log else kinds.Scalar
    axis = make(lower=parameter.low, upper=parameter.high)
    return axis.set_integer_casting() if parameter.kind == "int" else axis
