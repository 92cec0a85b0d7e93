"""Checks that a study goes on in another process as if nothing had been."""

from __future__ import annotations

from search.conformance.subject import Study, Subject, first_difference, mixed_loss, need
from search.optimizers.base import Trial
from search.protocol import Program


def go_on_elsewhere(subject: Subject) -> str:
    with subject.study(subject.space, seed=11) as study:
        for _ in range(subject.extent.snapshot):
            trial = study.ask()
            study.tell(trial.number, [mixed_loss(trial.point)])
        pending = study.ask()
        with Program(subject.service.command) as program:
            other = study.restore_into(program)
            here, there = (_next(subject, one, pending) for one in (study, other))
    place = first_difference(here, there)
    need(place is None, f"ask {place} after the snapshot differs")
    return f"{len(here)} asks"


def _next(subject: Subject, study: Study, pending: Trial) -> list[Trial]:
    trials = [study.ask()]
    study.tell(pending.number, [mixed_loss(pending.point)])
    for _ in range(subject.extent.after_snapshot):
        study.tell(trials[-1].number, [mixed_loss(trials[-1].point)])
        trials.append(study.ask())
    return trials
