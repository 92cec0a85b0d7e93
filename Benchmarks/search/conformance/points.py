"""Checks of suggestions: valid, repeatable, distinct."""

from __future__ import annotations

import math

from search.conformance.subject import CONDITIONAL, POPULATIONS, Subject, first_difference, mixed_loss, need
from search.spaces import choice, space


def are_valid(subject: Subject) -> str:
    count = len(subject.trace(subject.space, 7, subject.extent.suggestions))
    return f"{count} suggestions"


def follow_conditions(subject: Subject) -> str:
    subject.trace(CONDITIONAL, 3, subject.extent.conditional)
    return ""


def repeat_with_the_seed(subject: Subject) -> str:
    one, other = (subject.trace(subject.space, 7, subject.extent.suggestions) for _ in range(2))
    place = first_difference(one, other)
    need(place is None, f"suggestion {place} differs")
    return ""


def differ_with_the_seed(subject: Subject) -> str:
    one, other = (subject.trace(subject.space, seed, subject.extent.other_seed) for seed in (7, 8))
    need(one != other, "seeds 7 and 8 give the same suggestions")
    return ""


def differ_while_pending(subject: Subject) -> str:
    count = subject.extent.pending
    points = subject.trace(subject.space, 7, count, workers=8)
    distinct = len({str(sorted(point.items())) for point in points})
    least = math.floor(count * (0.75 if subject.method in POPULATIONS else 0.97))
    need(distinct >= least, f"{distinct} of {count} are distinct, at least {least} must be")
    return f"{distinct} of {count} distinct"


def come_several_at_a_time(subject: Subject) -> str:
    with subject.study(subject.space) as study:
        trials = study.ask_for(5)
        need(len({trial.number for trial in trials}) == 5, f"five trials have numbers {trials}")
        for trial in reversed(trials):
            study.tell(trial.number, [mixed_loss(trial.point)])
        study.ask()
    return ""


def exist_for_a_single_value(subject: Subject) -> str:
    with subject.study(space(choice("only", ["z"]))) as study:
        for _ in range(2):
            trial = study.ask()
            need(trial.point == {"only": "z"}, f"{trial.point}")
            study.tell(trial.number, [1.0])
    return ""
