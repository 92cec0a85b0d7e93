"""What is checked: a method, with studies of it, and what the checks are made of."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from search.optimizers.base import Task, Trial
from search.optimizers.martlet import Martlet, Service
from search.protocol import Program, Refused
from search.spaces import Condition, Point, Space, choice, number, real, space, when, whole

MODEL_FREE = ("random", "sobol", "median", "percentile", "asha", "hyperband")
STOPPING = ("median", "percentile", "asha", "hyperband")
GENERATIONS = ("de", "ga", "nsga2", "nsga3", "tabu", "anneal")  # generations or local moves
POPULATIONS = (*GENERATIONS, "cmaes")  # crossover without mutation rightly repeats a parent

CONDITIONAL = space(
    real("lr", 1e-5, 1, True),
    real("q", 0, 1, step=0.25),
    real("r", -0.35, 1, step=0.1),
    whole("n", 1, 1024, True),
    whole("s", 2, 20, step=3),
    choice("b", [True, False]),
    choice("k", ["a", "b", "c"]),
    choice("z", [1, 2.5, "1"]),
    real("u", -3, 3, when=when("k", "a")),
    whole("d", 1, 4, when=when("k", "b")),
    choice("e", ["x", "y"], when=(Condition("k", ("b",)), Condition("d", at_least=3))),
    real("g", 0, 1, when=when("b", True)),
)


class Failed(Exception):
    """A check is not passed."""


class Skipped(Exception):
    """The method says that it cannot do what is checked."""


def need(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise Failed(otherwise)


def mixed_loss(point: Mapping[str, Any]) -> float:
    return (math.log10(number(point["lr"])) + 3) ** 2 + number(point["q"]) + "abc".index(str(point["k"]))


@dataclass(frozen=True)
class Extent:
    """How much is done in a check."""

    suggestions: int = 60
    conditional: int = 40
    other_seed: int = 20
    pending: int = 64
    rough: int = 14
    best: int = 30
    history: int = 300
    constrained: int = 37
    front: int = 50
    snapshot: int = 14
    after_snapshot: int = 6
    has_floor: bool = True


SHORT = Extent(16, 14, 6, 24, 4, 15, 60, 15, 20, 6, 3, has_floor=False)  # of tests: with start-up and first models


class Study(Martlet):
    """A study whose suggestions are checked as they come."""

    def ask_for(self, count: int) -> list[Trial]:
        trials = super().ask_for(count)
        need(len(trials) == count, f"{count} trials were asked for, {len(trials)} came")
        for trial in trials:
            faults = self.task.space.faults(trial.point)
            need(not faults, f"trial {trial.number}: {'; '.join(faults[:3])}")
        return trials

    def best(self) -> list[dict[str, Any]]:
        best: list[dict[str, Any]] = self.request("best")["best"]
        return best

    def snapshot(self) -> str:
        state = self.request("snapshot").get("state")
        if not isinstance(state, str):
            raise Failed("a snapshot's state is no text")
        return state

    def restore_into(self, program: Program) -> Study:
        """The same study in another process."""
        study = object.__new__(Study)
        study.task, study.program, study.study = self.task, program, program.new_name()
        study.request("restore", state=self.snapshot())
        return study


@dataclass
class Subject:
    method: str
    service: Service
    features: tuple[str, ...]
    extent: Extent = field(default_factory=Extent)

    @contextlib.contextmanager
    def study(
        self,
        domain: Space,
        seed: int = 1,
        budget: Optional[int] = 50,
        workers: int = 1,
        options: Optional[Mapping[str, Any]] = None,
    ) -> Iterator[Study]:
        try:
            study = Study(Task(domain, seed, budget, workers), self.service.program(), self.method, options)
        except Refused as error:
            if error.is_unsupported:
                raise Skipped(str(error)) from error
            raise
        try:
            yield study
        finally:
            study.close()

    @property
    def space(self) -> Space:
        """The richest space that the method takes: one may refuse conditions, but not floats, ints and choices."""
        try:
            with self.study(CONDITIONAL):
                return CONDITIONAL
        except Skipped:
            return CONDITIONAL.without_conditions()

    def trace(
        self,
        domain: Space,
        seed: int,
        count: int,
        workers: int = 1,
        loss: Callable[[Point], float] = mixed_loss,
    ) -> list[Point]:
        """The points of a study in which the trial that has been under way longest is told."""
        points: list[Point] = []
        waiting: list[Trial] = []
        numbers: set[int] = set()
        with self.study(domain, seed, count, workers) as study:
            while len(points) < count:
                while len(waiting) < workers:
                    trial = study.ask()
                    need(trial.number not in numbers, f"the number {trial.number} was given twice")
                    numbers.add(trial.number)
                    waiting.append(trial)
                oldest = waiting.pop(0)
                points.append(oldest.point)
                study.tell(oldest.number, [loss(oldest.point)])
        return points


def refused(program: Program, what: str, message: Union[dict[str, Any], bytes]) -> None:
    answer = program.answer(message)
    need(not answer["ok"], f"{what} was accepted: {answer}")
    need(isinstance(answer.get("error"), str) and answer["error"], f"{what}: there is no error text in {answer}")


def first_difference(one: list[Any], other: list[Any]) -> Optional[int]:
    if one == other:
        return None
    return next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
