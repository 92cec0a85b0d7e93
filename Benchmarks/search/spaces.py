"""Search spaces as the line protocol describes them: what is allowed, which parameters are active, random points.

Everything is minimised, and a constraint on outcomes is met when its value is at most 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional, Union

Value = Union[bool, int, float, str]
Point = dict[str, Value]


@dataclass(frozen=True)
class Condition:
    """What a value must be for those parameters to be active that depend on it."""

    parameter: str
    choices: Optional[tuple[Value, ...]] = None
    at_least: Optional[float] = None
    at_most: Optional[float] = None

    def holds(self, point: Mapping[str, Value]) -> bool:
        if self.parameter not in point:
            return False
        value = point[self.parameter]
        if self.choices is not None and not is_one_of(value, self.choices):
            return False
        if self.at_least is None and self.at_most is None:
            return True
        least = -math.inf if self.at_least is None else self.at_least
        most = math.inf if self.at_most is None else self.at_most
        return not isinstance(value, str) and least <= value <= most

    def as_json(self) -> dict[str, Any]:
        limits = {"in": self.choices and list(self.choices), "gte": self.at_least, "lte": self.at_most}
        return {"param": self.parameter, **{key: limit for key, limit in limits.items() if limit is not None}}


@dataclass(frozen=True)
class Parameter:
    """`kind` is float, int or categorical. A step holds for floats too: values are low + k · step."""

    name: str
    kind: str
    low: float = 0
    high: float = 0
    is_log: bool = False
    step: Optional[float] = None
    choices: tuple[Value, ...] = ()
    when: tuple[Condition, ...] = ()  # all must hold

    def is_active(self, point: Mapping[str, Value]) -> bool:
        return all(condition.holds(point) for condition in self.when)

    @property
    def count(self) -> Optional[int]:
        """How many values it has; None: without end."""
        if self.kind == "categorical":
            return len(self.choices)
        step = self.step or (1 if self.kind == "int" else None)
        return None if step is None else math.floor((self.high - self.low) / step + 1e-9) + 1

    def at(self, place: int) -> Value:
        """The value at a place of one with steps, without noise in the last digits: 0.95, not 0.9500000000000001."""
        value = self.low + (self.step or 1) * place
        return int(value) if self.kind == "int" else float(f"{value:.12g}")

    def nearest(self, value: float) -> Value:
        """The value nearest to a number that a library gave without regard to steps."""
        whole = int(value) if self.kind == "int" else value
        within = min(self.high, max(self.low, whole))
        if not self.step:
            return within
        return self.at(min((self.count or 1) - 1, max(0, round((within - self.low) / self.step))))

    def draw(self, source: random.Random) -> Value:
        if self.kind == "categorical":
            return source.choice(self.choices)
        if self.kind == "int" and self.is_log:
            exponent = source.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5))
            return int(min(self.high, max(self.low, round(math.exp(exponent)))))
        if self.count is not None:
            return self.at(source.randrange(self.count))
        if self.is_log:
            return math.exp(source.uniform(math.log(self.low), math.log(self.high)))
        return source.uniform(self.low, self.high)

    def fault(self, value: Value) -> Optional[str]:
        """What is wrong with a value; None: nothing."""
        if self.kind == "categorical":
            return None if is_one_of(value, self.choices) else f"{self.name} = {value!r} is no choice"
        if isinstance(value, (bool, str)) or (self.kind == "int" and not isinstance(value, int)):
            return f"{self.name} = {value!r} is no {self.kind}"
        slack = 0.0 if self.kind == "int" else 1e-9 * max(1.0, abs(self.high))
        if not math.isfinite(value) or not self.low - slack <= value <= self.high + slack:
            return f"{self.name} = {value} is out of range"
        step = self.step or (1 if self.kind == "int" else None)
        if step is not None and abs((value - self.low) / step - round((value - self.low) / step)) > 1e-6:
            return f"{self.name} = {value} is off its step {step:g}"
        return None

    def as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"name": self.name, "type": self.kind}
        if self.kind == "categorical":
            content["choices"] = list(self.choices)
        else:
            content.update(low=self.low, high=self.high, log=self.is_log)
            if self.step is not None:
                content["step"] = self.step
        if self.when:
            content["when"] = [condition.as_json() for condition in self.when]
        return content


@dataclass(frozen=True)
class Space:
    parameters: tuple[Parameter, ...]
    objectives: int = 1
    constraints: int = 0
    ordered: tuple[Parameter, ...] = field(init=False, repr=False)  # those that others depend on first

    def __post_init__(self) -> None:
        object.__setattr__(self, "ordered", tuple(_parents_first(self.parameters)))

    @property
    def is_finite(self) -> bool:
        return all(parameter.count is not None for parameter in self.parameters)

    def without_conditions(self) -> Space:
        return replace(self, parameters=tuple(replace(parameter, when=()) for parameter in self.parameters))

    def draw(self, source: random.Random) -> Point:
        point: Point = {}
        for parameter in self.ordered:
            if parameter.is_active(point):
                point[parameter.name] = parameter.draw(source)
        return point

    def faults(self, point: Mapping[str, Value]) -> list[str]:
        """What is wrong with a point; inactive parameters must be absent."""
        known = {parameter.name for parameter in self.parameters}
        faults = [f"there is no {name}" for name in point if name not in known]
        for parameter in self.ordered:
            is_there = parameter.name in point
            if is_there != parameter.is_active(point):
                faults.append(f"{parameter.name} is {'inactive but there' if is_there else 'missing'}")
            elif is_there and (fault := parameter.fault(point[parameter.name])):
                faults.append(fault)
        return faults

    def as_json(self) -> dict[str, Any]:
        return {
            "params": [parameter.as_json() for parameter in self.parameters],
            "objectives": [{"name": f"f{place}", "goal": "minimize"} for place in range(self.objectives)],
            "constraints": [{"name": f"c{place}"} for place in range(self.constraints)],
        }


def _parents_first(parameters: Sequence[Parameter]) -> Iterator[Parameter]:
    done: set[str] = set()
    waiting = list(parameters)
    while waiting:
        count = len(waiting)
        for parameter in list(waiting):
            if all(condition.parameter in done for condition in parameter.when):
                yield parameter
                done.add(parameter.name)
                waiting.remove(parameter)
        if len(waiting) == count:
            raise ValueError(f"conditions of {waiting[0].name} lead in a circle or nowhere")


def is_one_of(value: Value, choices: Sequence[Value]) -> bool:
    """As `value in choices`, but true is not 1 and false is not 0: JSON keeps them apart, Python does not."""
    return any(isinstance(value, bool) == isinstance(choice, bool) and value == choice for choice in choices)


def number(value: Value) -> float:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is no number")
    return value


def numbers(space: Space, point: Mapping[str, Value]) -> list[float]:
    """A point of numbers alone, in the order of the parameters."""
    return [number(point[parameter.name]) for parameter in space.parameters]


# Parameters in few words


def real(name: str, low: float, high: float, is_log: bool = False, **more: Any) -> Parameter:
    return Parameter(name, "float", low, high, is_log, **more)


def whole(name: str, low: int, high: int, is_log: bool = False, **more: Any) -> Parameter:
    return Parameter(name, "int", low, high, is_log, **more)


def choice(name: str, choices: Sequence[Value], **more: Any) -> Parameter:
    return Parameter(name, "categorical", choices=tuple(choices), **more)


def when(parameter: str, *values: Value) -> tuple[Condition, ...]:
    return (Condition(parameter, values),)


def space(*parameters: Parameter, objectives: int = 1, constraints: int = 0) -> Space:
    return Space(parameters, objectives, constraints)
