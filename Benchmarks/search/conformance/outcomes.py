"""Checks of what is told: rough values, unknown trials, histories, and what `best` says."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from search.conformance.subject import Skipped, Subject, mixed_loss, need, refused
from search.spaces import Point, number, real, space

SPHERE = space(*[real(f"x{place}", -5, 5) for place in range(4)])
CENTRE = (1.2, -2.3, 0.7, 3.1)


def sphere(point: Mapping[str, Any]) -> float:
    return sum((number(point[f"x{place}"]) - value) ** 2 for place, value in enumerate(CENTRE))


def survive_what_is_rough(subject: Subject) -> str:
    for huge, count in ((1e308, 2), (1e12, subject.extent.rough)):
        with subject.study(subject.space) as study:
            for place, trial in enumerate(study.ask_for(4)):
                study.tell(trial.number, [huge] if place % 2 else [0.0])
            for state, values in (("failed", []), ("pruned", []), ("pruned", [3.0]), ("failed", [])):
                study.tell(study.ask().number, values, state=state)
            for place in range(count):
                trial = study.ask()
                study.tell(trial.number, [huge if place % 3 == 0 else mixed_loss(trial.point)])
    return ""


def refuse_unknown_trials(subject: Subject) -> str:
    with subject.study(subject.space) as study:
        trial = study.ask()
        message = {"op": "tell", "study": study.study, "trial": 987_654, "state": "complete", "values": [1.0]}
        refused(study.program, "a trial that was never asked for", message)
        study.tell(trial.number, [1.0])
        refused(study.program, "a trial that was told", {**message, "trial": trial.number})
        study.ask()
    return ""


def know_the_best(subject: Subject) -> str:
    told: dict[int, tuple[Point, float]] = {}
    with subject.study(SPHERE) as study:
        need(study.best() == [], "the best of a study without results is not []")
        for place in range(subject.extent.best):
            trial = study.ask()
            if place % 7 == 3:
                study.tell(trial.number, [], state="failed")
            elif place % 7 == 5:
                study.tell(trial.number, [-1.0], state="pruned")
            else:
                told[trial.number] = (trial.point, sphere(trial.point))
                study.tell(trial.number, [told[trial.number][1]])
        best = study.best()
    lowest = min(value for _, value in told.values())
    need(best, "the best is empty")
    for item in best:
        need(item["id"] in told, f"{item} is no complete trial")
        is_same = item["values"] == [lowest] and _agree(item["params"], told[item["id"]][0])
        need(is_same, f"the best is {item}; the lowest that was told is {lowest}")
    return ""


def learn_a_history(subject: Subject) -> str:
    source = random.Random(0)
    domain = subject.space
    points = [domain.draw(source) for _ in range(subject.extent.history)]
    with subject.study(domain, budget=2 * len(points)) as study:
        try:
            study.load([(point, [mixed_loss(point)]) for point in points])
        except NotImplementedError as error:
            raise Skipped(str(error)) from error
        for _ in range(3):
            trial = study.ask()
            study.tell(trial.number, [mixed_loss(trial.point)])
    return f"{len(points)} trials"


def meet_constraints(subject: Subject) -> str:
    domain = space(real("x", 0, 1), real("y", 0, 1), constraints=1)
    told: dict[int, tuple[float, float]] = {}
    with subject.study(domain, seed=5) as study:
        for _ in range(3):
            trial = study.ask()
            study.tell(trial.number, [number(trial.point["x"]) + number(trial.point["y"])], [0.5])
        need(study.best() == [], "there is a best while no trial meets the constraint")
        for place in range(subject.extent.constrained):
            trial = study.ask()
            x, y = number(trial.point["x"]), number(trial.point["y"])
            told[trial.number] = (x + y, (0.3, -0.1, 0.0)[place % 3] if place < 12 else 0.4 - x)
            study.tell(trial.number, [told[trial.number][0]], [told[trial.number][1]])
        best = study.best()
    lowest = min(value for value, constraint in told.values() if constraint <= 0)
    need(best, "the best is empty")
    for item in best:
        need(told.get(item["id"], (0.0, 1.0))[1] <= 0, f"the best does not meet the constraint: {item}")
        need(item["values"] == [lowest], f"the best is {item}; the lowest that meets the constraint is {lowest}")
    return ""


def know_the_front(subject: Subject) -> str:
    for constraints in [0, 1] if "constraints" in subject.features else [0]:
        domain = space(*[real(name, 0, 1) for name in "xyz"], objectives=2, constraints=constraints)
        told: dict[int, list[float]] = {}
        with subject.study(domain, seed=5) as study:
            for place in range(subject.extent.front):
                trial = study.ask()
                x, y, z = (number(trial.point[name]) for name in "xyz")
                values, outcome = [x, (1 - x) ** 2 + 0.5 * y + 0.5 * z], 0.3 - x
                if place % 10 == 9:
                    study.tell(trial.number, [], state="failed")
                    continue
                study.tell(trial.number, values, [outcome] * constraints)
                if not constraints or outcome <= 0:
                    told[trial.number] = values
            best = study.best()
        for item in best:
            need(item["values"] == told.get(item["id"]), f"{item} is no complete trial that meets the constraint")
        front = {tuple(values) for values in told.values() if not _is_dominated(values, list(told.values()))}
        found = {tuple(item["values"]) for item in best}
        need(found <= front, f"{len(found - front)} of {len(found)} are dominated: {sorted(found - front)[:1]}")
        need(found == front, f"the best holds {len(found)} of the {len(front)} points of the front")
    return ""


def _is_dominated(values: Sequence[float], others: Sequence[Sequence[float]]) -> bool:
    return any(all(a <= b for a, b in zip(other, values)) and list(other) != list(values) for other in others)


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(one[key], other[key], rel_tol=1e-12) if isinstance(one[key], float) else one[key] == other[key]
        for key in one
    )
