"""What the tests of this folder share: a workplace for each, closed at its end."""

from __future__ import annotations

import time
import unittest
from typing import Any, Callable

from tracking import history
from tracking.logged import Row
from tracking.server import PATIENCE, Server
from tracking.verdict import Verdict, judge
from tracking.workplace import Trainer, Workplace


class PlaceTest(unittest.TestCase):
    """`place` is the test's own; its server is started by `serve`."""

    def setUp(self) -> None:
        self.place = Workplace()
        self.addCleanup(self.place.close)

    @property
    def server(self) -> Server:
        return self.place.server

    def serve(self) -> None:
        self.server.start()
        self.server.ensure_up()

    def rows(self, run: str) -> list[Row]:
        return list(history.rows(self.server, run))

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """What `condition` gives once that is more than nothing."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            self.assertLess(time.monotonic(), end, f"{what} did not come within {PATIENCE:.0f} s:\n{self.server.log()}")
            time.sleep(0.02)
        return found

    def verdict(self, *trainers: Trainer) -> Verdict:
        """On these trainers, whose runs must also agree with their summaries and series."""
        verdict = Verdict()
        runs = history.runs(self.server)
        for trainer in trainers:
            rows, faults = history.stored(self.server, runs.get(trainer.orders.name, []))
            verdict += judge(trainer.orders.name, trainer.orders.seed, trainer.steps, trainer.notes(), rows)
            verdict.faults += faults
        return verdict

    def assert_exactly_once(self, *trainers: Trainer, logged: int) -> None:
        """Every row whose log() returned is there once, and there are `logged` of them at least."""
        verdict = self.verdict(*trainers)
        self.assertEqual(verdict.faults, [])
        self.assertEqual((verdict.lost, verdict.doubled), (0, 0))
        self.assertGreaterEqual(verdict.logged, logged)
