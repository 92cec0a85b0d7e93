"""A client made by hand that believes every 2xx: what was acknowledged once it never sends to be stored again.

A spool heals what a server forgets, as its sender goes back to the row that the server asks for. This client does not:
a server that asks for an acknowledged row has lost it.
"""

from __future__ import annotations

import json
import random
import threading
from typing import NamedTuple, Optional

from tracking import history
from tracking.activity import Activity
from tracking.logged import Noted, Steps, row
from tracking.server import Server
from tracking.verdict import Verdict, judge

SIZES = (1, 3, 40, 40, 300, 1200)  # rows of a batch
MOST_ROWS = 30_000
CHUNK = 4096  # rows that are sealed together
LINES = "application/x-ndjson"


class Cut(NamedTuple):
    """A rewind: rows from `first` on, below `end`, are gone."""

    first: int
    end: int


class Writer(Activity):
    """Posts its rows as JSON lines; repeats, splits and overlaps batches as clients may; rewinds now and then."""

    def __init__(
        self, server: Server, numbers: random.Random, name: str, moment: threading.Event, rewinds: bool = False
    ) -> None:
        super().__init__(server, numbers, name)
        self._moment = moment
        self.seed = numbers.randrange(1_000_000)
        self.client = f"{numbers.getrandbits(128):032x}"
        self.acknowledged = 0  # rows
        self.sent = 0  # rows that may have reached the server
        self.cuts: list[Cut] = []
        self.cutting: Optional[Cut] = None  # asked for, not answered
        self._rewinds = rewinds
        self._run: Optional[str] = None

    def work(self) -> None:
        self._run = self.create(self.name)
        while not self.is_over and self.acknowledged < MOST_ROWS:
            if self._rewinds and self.acknowledged > 100 and self.numbers.random() < 0.08:
                self._rewind()
            else:
                self._post()
            self.pause(self.numbers.uniform(0, 0.1))

    def _post(self) -> None:
        # A batch may begin anywhere in what the server has, and end anywhere beyond.
        first = max(0, self.acknowledged - self.numbers.choice((0, 0, 0, 1, 50)))
        end = self.acknowledged + self.numbers.choice(SIZES)
        self.sent = max(self.sent, end)
        answer = self.ask("POST", f"/runs/{self._run}/log?client={self.client}", self._lines(first, end), LINES, (409,))
        if answer is None:
            self.pause()
        elif answer.status == 409:
            wanted = answer.error.get("details", {}).get("next_seq")
            self.faults.append(f"{self.name}: {self.acknowledged} rows were acknowledged, now it wants row {wanted}")
            self.stop()
        else:
            found = answer.json
            following = found["next_seq"]
            if not end <= following <= self.sent or found["accepted"] + found["duplicates"] != end - first:
                self.faults.append(f"{self.name}: rows {first} to {end}, up to {self.sent} sent, answered with {found}")
            if following // CHUNK > self.acknowledged // CHUNK:
                self._moment.set()
            self.acknowledged = max(self.acknowledged, following)

    def _lines(self, first: int, end: int) -> bytes:
        lines = []
        for index in range(first, end):
            step, values = row(self.seed, 0, index)
            lines.append(
                json.dumps({"seq": index, "step": step, "time": 1_790_000_000_000_000 + index, "values": values})
            )
        return "\n".join(lines).encode()

    def _rewind(self) -> None:
        """To a step that the run has. Rows that were sent and not acknowledged are settled before."""
        while self.sent > self.acknowledged:
            if self.is_over:
                return
            self._post()
        step = self.numbers.randrange(max(0, self.acknowledged - 3000), self.acknowledged)
        self.cutting = Cut(step + 1, self.acknowledged)
        while not self.is_over:
            self._moment.set()
            if self.ask("POST", f"/runs/{self._run}/rewind", {"step": step}):
                self.cuts.append(self.cutting)
                self.cutting = None
                self.done["rewinds"] += 1
                return
            self.pause()

    def notes(self) -> list[tuple[int, Noted]]:
        """What must be stored, and what may be."""
        gone = {index for cut in self.cuts for index in range(cut.first, cut.end)}
        kept = set(range(self.acknowledged)) - gone
        unsure = set(range(self.acknowledged, self.sent))
        if self.cutting:
            unsure |= kept & set(range(self.cutting.first, self.cutting.end))
        return [(0, Noted(frozenset(kept - unsure), frozenset(unsure), frozenset(gone)))]

    def verdict(self) -> Verdict:
        verdict = super().verdict()
        rows, faults = history.stored(self.server, history.runs(self.server).get(self.name, []))
        verdict += judge(self.name, self.seed, self.steps, self.notes(), rows)
        verdict.faults += faults
        if self.cutting:  # nobody knows whether it was made, but it was made whole or not at all
            left, wanted = (
                sum(self.cutting.first <= row.step < self.cutting.end for row in rows),
                self._kept_of(self.cutting),
            )
            if left not in (0, wanted):
                verdict.faults.append(f"{self.name}: a rewind left {left} of {wanted} rows")
        return verdict

    def _kept_of(self, cut: Cut) -> int:
        """Rows of a cut that no earlier cut took."""
        gone = {index for earlier in self.cuts for index in range(earlier.first, earlier.end)}
        return len(set(range(cut.first, cut.end)) - gone)

    @property
    def steps(self) -> Steps:
        return Steps.ABSENT
