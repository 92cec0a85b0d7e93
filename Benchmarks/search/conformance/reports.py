"""Checks of values on the way: every report has an answer, and a rule stops what is hopeless and never the best."""

from __future__ import annotations

from search.conformance.subject import STOPPING, Skipped, Subject, need, refused

STEPS = 52
CURVES = 40
BEST = 20  # the curve that is the best of all


def have_answers(subject: Subject) -> str:
    with subject.study(subject.space) as study:
        for place in range(6):
            trial = study.ask()
            is_stopped = False
            for step in range(1, 11):
                decision = study.request("report", trial=trial.number, step=step, value=place + 1 / step)["decision"]
                need(decision in ("continue", "stop"), f"the decision is {decision!r}")
                is_stopped = decision == "stop"
                if is_stopped:
                    break
            study.tell(trial.number, [place + 0.1], state="pruned" if is_stopped or place == 4 else "complete")
        message = {"op": "report", "study": study.study, "trial": 987_654, "step": 1, "value": 1.0}
        refused(study.program, "a report of a trial that was never asked for", message)
    return ""


def stop_the_hopeless(subject: Subject) -> str:
    if subject.method not in STOPPING:
        raise Skipped("it is no stopping rule")
    hopeless = stopped = 0
    with subject.study(subject.space, budget=None, options={"steps": STEPS}) as study:
        for place in range(CURVES):
            trial = study.ask()
            level = 0.1 if place == BEST else 1 + place / 1000 if place % 2 == 0 else 100.0 + place
            steps = range(1, STEPS + 1)
            end = next((step for step in steps if study.report(trial.number, step, level + 0.01 / step)), None)
            need(place != BEST or end is None, f"the best curve of all was stopped at step {end}")
            study.tell(trial.number, [level], state="complete" if end is None else "pruned")
            if place >= 10 and level >= 100:
                hopeless += 1
                stopped += end is not None and end < STEPS
    need(stopped >= hopeless / 2, f"only {stopped} of {hopeless} hopeless curves were stopped before their end")
    return f"stopped {stopped} of {hopeless} hopeless curves"
