"""Compares what the trials' own program noted with what the server says of them."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

RETRIES = {"infra": 4, "failure": 1, "oom": 1, "timeout": 1}
ENDED = ("finished", "failed", "timedOut", "killed", "stopped", "preempted", "crashed")


class Attempt(NamedTuple):
    """As the server tells it."""

    number: int
    state: str
    code: Optional[int]
    signal: Optional[int]
    reason: str
    devices: tuple[str, ...]

    @property
    def fault(self) -> Optional[str]:
        """Which cause of `retries` its end is; none for a success, and for one that never began."""
        if "memory limit" in self.reason or "want of memory" in self.reason:
            return "oom"
        if self.state == "crashed":
            return "infra" if self.signal is None else "failure"
        return {"failed": "failure", "timedOut": "timeout"}.get(self.state)


class Trial(NamedTuple):
    """As the server tells it."""

    number: int
    point: tuple[int, int]  # index, gpus
    state: str
    objective: Optional[float]
    attempts: Sequence[Attempt]


class Notes:
    """What the trials' program wrote: lines `WORD TRIAL ATTEMPT MORE`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.begun: Counter[tuple[int, int]] = Counter()
        self.devices: dict[tuple[int, int], tuple[str, ...]] = {}
        self.words: dict[tuple[int, int], set[str]] = defaultdict(set)
        self.clashes: list[str] = []
        for line in lines:
            word, trial, number, more = line.split()
            key = (int(trial), int(number))
            if word == "begin":
                self.begun[key] += 1
                self.devices[key] = () if more == "-" else tuple(more.split(","))
            elif word == "clash":
                self.clashes.append(f"attempt {number} of trial {trial} found another in {more}")
            else:
                self.words[key].add(word)

    def says(self, trial: int, number: int, word: str) -> bool:
        return word in self.words.get((trial, number), ())


@dataclasses.dataclass
class Account:
    """Figures of one sweep; may be added up."""

    trials: int = 0
    attempts: int = 0
    ends: Counter[str] = dataclasses.field(default_factory=Counter)  # of attempts, by state
    twice: int = 0
    lost: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)  # sentences

    @property
    def is_good(self) -> bool:
        return not (self.twice or self.lost or self.faults)

    def __iadd__(self, other: Account) -> Account:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def double(self, what: str) -> None:
        self.twice += 1
        self.faults.append(what)

    def miss(self, what: str) -> None:
        self.lost += 1
        self.faults.append(what)


def account(
    points: Sequence[tuple[int, int]], trials: Sequence[Trial], notes: Notes, orphaned: set[tuple[int, int]]
) -> Account:
    """`points`: (index, gpus) of each trial, in the order of their numbers. `orphaned`: attempts (trial, number) whose
    supervisor was killed, so that nobody can know how they ended."""
    found = Account(trials=len(trials), attempts=sum(len(trial.attempts) for trial in trials))
    times = Counter(trial.point for trial in trials)
    for number, point in enumerate(points):
        if not times[point]:
            found.miss(f"point {number} has no trial")
        elif times[point] > 1:
            found.double(f"point {number} has {times[point]} trials")
        elif number >= len(trials) or trials[number].point != point:
            found.faults.append(f"trial {number} is another point than the file says")
    for (number, attempt), count in sorted(notes.begun.items()):
        if count > 1:
            found.double(f"attempt {attempt} of trial {number} began {count} times")
        if number >= len(trials) or attempt > len(trials[number].attempts):
            found.miss(f"attempt {attempt} of trial {number} began, and the server knows none")
    for clash in notes.clashes:
        found.double(clash)
    for trial in trials:
        one(found, trial, notes, orphaned)
    return found


def one(found: Account, trial: Trial, notes: Notes, orphaned: set[tuple[int, int]]) -> None:
    """A trial and its attempts."""
    name = f"trial {trial.number}"
    if trial.state not in ("complete", "failed"):
        return found.miss(f"{name} is {trial.state} in the end")
    if [attempt.number for attempt in trial.attempts] != list(range(1, len(trial.attempts) + 1)):
        found.faults.append(f"{name} has attempts {[attempt.number for attempt in trial.attempts]}")
    for attempt in trial.attempts:
        found.ends[attempt.state] += 1
        for flaw in flaws(trial, attempt, notes, (trial.number, attempt.number) in orphaned):
            found.faults.append(f"{name}, attempt {attempt.number}: {flaw}")
    successes = [attempt.number for attempt in trial.attempts if attempt.state == "finished"]
    if len(successes) > 1 or (successes and successes[0] != trial.attempts[-1].number):
        found.double(f"{name} went on after its success: {states(trial)}")
    if trial.state == "complete" and not successes:
        found.miss(f"{name} is complete without an attempt that worked: {states(trial)}")
    if trial.state == "failed" and successes:
        found.miss(f"{name} worked and is failed: {states(trial)}")
    if trial.state == "complete" and trial.objective != float(trial.number):
        found.miss(f"{name} logged {trial.number} and has {trial.objective}")
    faults = Counter(attempt.fault for attempt in trial.attempts if attempt.fault)
    for fault, count in faults.items():
        if count > RETRIES[fault] + 1:
            found.double(f"{name} was tried again {count - 1} times after {fault}: {states(trial)}")
    if trial.state == "failed" and trial.attempts:
        last = trial.attempts[-1].fault
        if last is None or faults[last] != RETRIES[last] + 1:
            found.miss(f"{name} was given up before its retries were used: {states(trial)}")


def flaws(trial: Trial, attempt: Attempt, notes: Notes, is_orphaned: bool) -> Iterable[str]:
    """What does not fit in one attempt; sentences."""
    key = (trial.number, attempt.number)
    if attempt.state not in ENDED:
        yield f"it is {attempt.state} in the end"
    if attempt.state in ("preempted", "stopped"):
        if attempt.state == "stopped" or key in notes.begun:
            yield f"it is {attempt.state}, and nobody asked"
        return
    if key not in notes.begun:
        # Its supervisor was killed before the command came that far, or the command by its limits.
        if not is_orphaned and attempt.state not in ("timedOut", "killed"):
            yield f"it is {attempt.state}, and its program never began"
        return
    if len(notes.devices[key]) != trial.point[1]:
        yield f"it needs {trial.point[1]} devices and saw {notes.devices[key]}"
    if notes.devices[key] != attempt.devices:
        yield f"it saw the devices {notes.devices[key]}, and the server says {attempt.devices}"
    if is_orphaned:
        return
    if attempt.state == "finished" and not notes.says(*key, "end"):
        yield "it is finished, and its program never came to its end"
    if notes.says(*key, "end") and attempt.state not in ("finished", "timedOut"):
        yield f"its program came to its end, and it is {attempt.state}: {attempt.reason}"
    if notes.says(*key, "fail") and (attempt.state, attempt.code) != ("failed", 3):
        yield f"its program left with 3, and it is {attempt.state}: {attempt.reason}"
    if notes.says(*key, "unstopped"):
        yield "it took all the memory that it wanted, and no limit ended it"
    if notes.says(*key, "crash") and (attempt.state != "crashed" or attempt.signal is None):
        yield f"its program ended by a signal, and it is {attempt.state}: {attempt.reason}"
    if attempt.state == "crashed" and attempt.signal is None:
        yield f"nobody killed its supervisor, and it is crashed: {attempt.reason}"


def states(trial: Trial) -> str:
    return ", ".join(attempt.state for attempt in trial.attempts)
