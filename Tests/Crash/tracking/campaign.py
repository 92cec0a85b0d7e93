"""Batch after batch, each on a store of its own, until one is not good."""

from __future__ import annotations

import traceback
from typing import Callable, NamedTuple, Optional

from tracking.batch import Batch
from tracking.tally import Tally
from tracking.workplace import Workplace

BATCH = 20  # rounds on one store


class Outcome(NamedTuple):
    """What came out. Of a batch that was not good: its first round's seed, its rounds, and where its files lie."""

    tally: Tally
    seed: Optional[int] = None
    rounds: int = 0
    files: str = ""

    def __str__(self) -> str:
        lines = [f"left out, since this server has no {missing}" for missing in sorted(self.tally.left_out)]
        if self.files:
            lines += self.tally.verdict.faults[:20]
            lines.append(f"--seed {self.seed} --rounds {self.rounds} repeats the batch; its files: {self.files}")
        return "\n".join([*lines, str(self.tally)])


def campaign(rounds: int, seed: int, tell: Callable[[Tally], None] = lambda _: None) -> Outcome:
    """So many rounds; round i has the seed `seed + i`. `tell` hears the figures so far after each batch."""
    tally = Tally()
    for first in range(seed, seed + rounds, BATCH):
        seeds = list(range(first, min(seed + rounds, first + BATCH)))
        place = Workplace()
        batch = Batch(place, seeds)
        try:
            batch.go()
        except Exception:
            batch.tally.verdict.faults.append(traceback.format_exc())
        finally:
            place.close(keep=not batch.tally.is_good)
        tally += batch.tally
        tell(tally)
        if not tally.is_good:
            return Outcome(tally, first, len(seeds), place.root)
    return Outcome(tally)
