"""Checks of the program itself: what it says of itself, and that errors are answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from search.conformance.outcomes import SPHERE
from search.conformance.subject import need, refused
from search.protocol import Program

FEATURES = ("load", "report", "conditions", "constraints", "multi-objective", "snapshot")
NOT_DRIVABLE = {
    "grid": "a grid has no points between the ends of a range",
    "pbt": "its trials go on from the checkpoints of others",
}


class Hello(NamedTuple):
    algorithms: tuple[str, ...]  # that can be driven
    features: tuple[str, ...]


def hello(command: Sequence[str]) -> Hello:
    with Program(command) as program:
        answer: dict[str, Any] = program.request(op="hello")
    need(answer.get("protocol") == 1, f"the protocol is {answer.get('protocol')!r}, not 1")
    need(isinstance(answer.get("name"), str), "there is no name")
    odd = [feature for feature in answer["features"] if feature not in FEATURES]
    need(not odd, f"features nobody knows: {odd}")
    algorithms = tuple(name for name in answer["algorithms"] if name not in NOT_DRIVABLE)
    return Hello(algorithms, tuple(answer["features"]))


def keeps_its_manners(command: Sequence[str], timeout: float) -> str:
    create = {"op": "create", "study": "s", "space": SPHERE.as_json(), "seed": 1, "options": {}}
    with Program(command, timeout) as program:
        refused(program, "a line that is no JSON", b"{nonsense\n")
        refused(program, "an unknown op", {"op": "dance"})
        refused(program, "an ask of an unknown study", {"op": "ask", "study": "nosuch", "n": 1})
        refused(program, "an unknown algorithm", {**create, "algorithm": "nosuch-algorithm"})
        program.request(op="hello")
        program.request(op="shutdown")
        need(program.ends_within(5), "it still runs 5 s after shutdown")
    return ""
