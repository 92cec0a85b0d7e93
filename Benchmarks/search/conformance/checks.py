"""All checks of a method, and going through them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable, NamedTuple, Optional

from search.conformance import floor, outcomes, points, reports, snapshots
from search.conformance.subject import Failed, Skipped, Subject
from search.protocol import NoAnswer, Refused


class Check(NamedTuple):
    name: str
    feature: Optional[str]  # that the program must announce
    is_passed: Callable[[Subject], str]  # a few words, or Failed or Skipped


CHECKS = (
    Check("suggestions are valid", None, points.are_valid),
    Check("conditions are followed", "conditions", points.follow_conditions),
    Check("same seed, same suggestions", None, points.repeat_with_the_seed),
    Check("other seed, other suggestions", None, points.differ_with_the_seed),
    Check("8 pending differ", None, points.differ_while_pending),
    Check("five at a time, told in reverse", None, points.come_several_at_a_time),
    Check("a single value", None, points.exist_for_a_single_value),
    Check("1e308, failed and pruned trials", None, outcomes.survive_what_is_rough),
    Check("unknown trials are refused", None, outcomes.refuse_unknown_trials),
    Check("the best is the lowest complete trial", None, outcomes.know_the_best),
    Check("a history is learnt", "load", outcomes.learn_a_history),
    Check("the best meets constraints", "constraints", outcomes.meet_constraints),
    Check("the best is the front", "multi-objective", outcomes.know_the_front),
    Check("reports are answered", "report", reports.have_answers),
    Check("hopeless curves are stopped, the best never", "report", reports.stop_the_hopeless),
    Check("a snapshot goes on in another process", "snapshot", snapshots.go_on_elsewhere),
    Check("better than chance", None, floor.beat_chance),
)


class Result(NamedTuple):
    method: str
    check: str
    how: str  # ok, FAILED or skipped
    words: str
    seconds: float


def results(subject: Subject) -> Iterator[Result]:
    """One a check. After a silence the others are left out."""
    is_silent = False
    for check in CHECKS:
        if check.is_passed is floor.beat_chance and not subject.extent.has_floor:
            continue
        began = time.monotonic()
        if is_silent:
            how, words = "skipped", "it gave no answer before"
        elif check.feature and check.feature not in subject.features:
            how, words = "skipped", f"{check.feature} is not announced"
        else:
            try:
                how, words = "ok", check.is_passed(subject)
            except Skipped as error:
                how = "skipped" if check.feature or check.is_passed is floor.beat_chance else "FAILED"
                words = str(error)
            except (Failed, Refused, NoAnswer, NotImplementedError) as error:
                how, words = "FAILED", str(error)
                is_silent = isinstance(error, NoAnswer)
        yield Result(subject.method, check.name, how, words, time.monotonic() - began)
