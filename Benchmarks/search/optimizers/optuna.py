"""Optuna's samplers, and its pruners over its random sampler."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from typing import Any, Callable

from search.optimizers.base import Optimizer, Task, Trial
from search.spaces import Parameter, Point, Value

FEWEST = 3  # epochs before its pruners judge
SMALL_BUDGET = 200  # trials up to which its NSGA-II has a population of 20 instead of its usual 50


def _tpe(optuna: Any, task: Task, options: dict[str, Any]) -> Any:
    return optuna.samplers.TPESampler(seed=task.seed, constant_liar=task.workers > 1, **options)


def _gp(optuna: Any, task: Task, options: dict[str, Any]) -> Any:
    return optuna.samplers.GPSampler(seed=task.seed, **options)


def _cmaes(optuna: Any, task: Task, options: dict[str, Any]) -> Any:
    return optuna.samplers.CmaEsSampler(seed=task.seed, warn_independent_sampling=False)


def _nsga2(optuna: Any, task: Task, options: dict[str, Any]) -> Any:
    population = 20 if (task.budget or 0) <= SMALL_BUDGET else 50
    return optuna.samplers.NSGAIISampler(seed=task.seed, population_size=population, **options)


def _random(optuna: Any, task: Task, options: dict[str, Any]) -> Any:
    return optuna.samplers.RandomSampler(seed=task.seed)


SAMPLERS: dict[str, Callable[[Any, Task, dict[str, Any]], Any]] = {
    "tpe": _tpe,
    "gp": _gp,
    "cmaes": _cmaes,
    "nsga2": _nsga2,
    "random": _random,
}
PRUNERS: dict[str, Callable[[Any, int], Any]] = {
    "none": lambda pruners, steps: pruners.NopPruner(),
    "median": lambda pruners, steps: pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=FEWEST),
    "asha": lambda pruners, steps: pruners.SuccessiveHalvingPruner(min_resource=FEWEST, reduction_factor=3),
    "hyperband": lambda pruners, steps: pruners.HyperbandPruner(
        min_resource=FEWEST, max_resource=steps, reduction_factor=3
    ),
}


class Optuna(Optimizer):
    """`steps`, the longest curve, matters to pruners alone."""

    def __init__(self, task: Task, sampler: str, pruner: str = "none", steps: int = 1) -> None:
        super().__init__(task)
        warnings.filterwarnings("ignore")
        self._optuna: Any = importlib.import_module("optuna")
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        options: dict[str, Any] = {}
        if task.space.constraints:
            met = [0.0] * task.space.constraints
            options["constraints_func"] = lambda trial: trial.user_attrs.get("constraints", met)
        self._study = self._optuna.create_study(
            study_name="study",
            directions=["minimize"] * task.space.objectives,
            sampler=SAMPLERS[sampler](self._optuna, task, options),
            pruner=PRUNERS[pruner](self._optuna.pruners, steps),
        )
        self._trials: dict[int, Any] = {}

    def ask(self) -> Trial:
        trial = self._study.ask()
        point: Point = {}
        for parameter in self.task.space.ordered:
            if parameter.is_active(point):
                point[parameter.name] = _suggested(trial, parameter)
        self._trials[trial.number] = trial
        return Trial(trial.number, point)

    def tell(
        self, trial: int, values: Sequence[float], constraints: Sequence[float] = (), state: str = "complete"
    ) -> None:
        known = self._trials.pop(trial)
        states = self._optuna.trial.TrialState
        if constraints:
            known.set_user_attr("constraints", list(constraints))
        if state == "complete":
            self._study.tell(known, list(values))
        else:
            self._study.tell(known, state=states.PRUNED if state == "pruned" else states.FAIL)

    def report(self, trial: int, step: int, value: float) -> bool:
        known = self._trials[trial]
        known.report(value, step)
        return bool(known.should_prune())

    def load(self, trials: Sequence[tuple[Point, Sequence[float]]]) -> None:
        distributions = {parameter.name: self._distribution(parameter) for parameter in self.task.space.ordered}
        self._study.add_trials(
            [
                self._optuna.trial.create_trial(
                    params=point, distributions={name: distributions[name] for name in point}, values=list(values)
                )
                for point, values in trials
            ]
        )

    def _distribution(self, parameter: Parameter) -> Any:
        distributions = self._optuna.distributions
        if parameter.kind == "categorical":
            return distributions.CategoricalDistribution(parameter.choices)
        is_whole = parameter.kind == "int"
        make = distributions.IntDistribution if is_whole else distributions.FloatDistribution
        step = parameter.step or (1 if is_whole else None)
        return make(parameter.low, parameter.high, log=parameter.is_log, step=step)


def _suggested(trial: Any, parameter: Parameter) -> Value:
    if parameter.kind == "categorical":
        value: Value = trial.suggest_categorical(parameter.name, parameter.choices)
        return value
    is_whole = parameter.kind == "int"
    suggest = trial.suggest_int if is_whole else trial.suggest_float
    step = parameter.step or (1 if is_whole else None)
    number: Value = suggest(parameter.name, parameter.low, parameter.high, log=parameter.is_log, step=step)
    return number
