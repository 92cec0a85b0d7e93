#!/usr/bin/env python3
"""Points that are logged arrive exactly once: with many writers, through a relay that mangles, and under kill -9.

Run: python3 Tests/Crash/test_tracking.py        MARTLET_BIN names the program
MARTLET_TRACKING_ROUNDS (10) and MARTLET_CRASH_SEED (random; it is printed) are those of the random kills, of which
`make crash ROUNDS=300` makes more.
"""

from __future__ import annotations

import os
import random
import threading
import unittest

from tracking.campaign import campaign
from tracking.case import PlaceTest
from tracking.logged import Steps
from tracking.relay import Relay
from tracking.server import PATIENCE
from tracking.trainer import Orders

ROUNDS = int(os.environ.get("MARTLET_TRACKING_ROUNDS", "10"))
SEED = int(os.environ.get("MARTLET_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))


class ManyWritersTest(PlaceTest):
    def test_eight_processes_on_one_run(self) -> None:
        self.serve()
        orders = Orders("together", self.place.notes, seed=1, rows=500, steps=Steps.REPEATED, processes=8)
        trainer = self.place.train(orders)
        self.assertEqual(trainer.process.wait(PATIENCE), 0)
        self.place.settle()
        self.assert_exactly_once(trainer, logged=8 * 500)

    def test_eight_runs(self) -> None:
        self.serve()
        trainers = [
            self.place.train(Orders(f"alone-{n}", self.place.notes, seed=n, rows=500, steps=Steps(n % 4)))
            for n in range(8)
        ]
        for trainer in trainers:
            self.assertEqual(trainer.process.wait(PATIENCE), 0)
        self.place.settle()
        self.assert_exactly_once(*trainers, logged=8 * 500)

    def test_eight_threads(self) -> None:
        self.serve()
        trainer = self.place.train(Orders("threads", self.place.notes, seed=3, rows=500, threads=8))
        self.assertEqual(trainer.process.wait(PATIENCE), 0)
        self.place.settle()
        self.assert_exactly_once(trainer, logged=8 * 500)


class MangledTest(PlaceTest):
    def test_requests_that_are_cut_doubled_delayed_and_refused(self) -> None:
        self.serve()
        relay = Relay(self.server.port, seed=SEED, mangle=0.8)
        self.addCleanup(relay.close)
        near = self.place.near(relay.url)
        orders = Orders("mangled", self.place.notes, seed=5, rows=10_000_000, steps=Steps.BACK, pause=0.002)
        steady = self.place.train(orders, near)
        together = self.place.train(
            Orders("mangled-8", self.place.notes, seed=6, rows=300, processes=8, pause=0.01), near
        )
        together.process.wait(PATIENCE)
        # Everything that can happen has happened.
        self.wait_for(lambda: len(relay.done) == relay.kinds, f"every fault (seed {SEED}); so far {relay.done}")
        steady.wait()
        # The senders come to an end by themselves, through the relay; it lets all pass where that takes long.
        calming = threading.Timer(PATIENCE / 2, relay.calm)
        calming.start()
        self.addCleanup(calming.cancel)
        self.wait_for(lambda: not self.place.spool_files(), "what is left in spools")
        self.assertEqual(self.place.refusals(), "")
        self.assert_exactly_once(steady, together, logged=8 * 300)


class KilledTest(unittest.TestCase):
    def test_servers_senders_and_trainers_killed_at_random_moments(self) -> None:
        print(f"{ROUNDS} rounds, MARTLET_CRASH_SEED={SEED} ... ", end="", flush=True)
        for seed in range(SEED, SEED + 5 * ROUNDS, ROUNDS):
            outcome = campaign(ROUNDS, seed)
            print(f"{outcome} ... ", end="", flush=True)
            self.assertTrue(outcome.tally.is_good, outcome)
            self.assertEqual(outcome.tally.rounds, ROUNDS)
            if outcome.tally.kills["server"]:  # few rounds may have killed others alone
                break
        self.assertGreater(outcome.tally.kills["server"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
