"""The figures of many rounds."""

from __future__ import annotations

import dataclasses
from collections import Counter

from tracking.verdict import Verdict

KINDS = ("server", "sender", "trainer")


@dataclasses.dataclass
class Tally:
    """May be added up."""

    rounds: int = 0
    kills: Counter[str] = dataclasses.field(default_factory=Counter)
    acknowledged: int = 0  # rows: to clients made by hand, and to senders as far as they had noted it before a kill
    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    done: Counter[str] = dataclasses.field(default_factory=Counter)  # what else went on
    left_out: set[str] = dataclasses.field(default_factory=set)

    def __iadd__(self, other: Tally) -> Tally:
        self.rounds += other.rounds
        self.kills += other.kills
        self.acknowledged += other.acknowledged
        self.verdict += other.verdict
        self.done += other.done
        self.left_out |= other.left_out
        return self

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good

    def __str__(self) -> str:
        kills = ", ".join(f"{self.kills[kind]} {kind}s" for kind in KINDS)
        others = "".join(f", {what} {count}" for what, count in sorted(self.done.items()))
        return (
            f"rounds {self.rounds}; killed {kills}; rows acknowledged {self.acknowledged}, "
            f"logged {self.verdict.logged}, lost {self.verdict.lost}, doubled {self.verdict.doubled}"
            f"{', faults ' + str(len(self.verdict.faults)) if self.verdict.faults else ''}{others}"
        )
