#!/usr/bin/env python3
"""Disks that are full or read-only: said in words, and every row that was kept arrives exactly once when there is room.

Run, as root: python3 Tests/Crash/test_disk.py        MARTLET_BIN names the program
"""

from __future__ import annotations

import json
import pathlib
import random
import signal
import threading
import time
import unittest

from tracking import small_disk
from tracking.case import PlaceTest
from tracking.logged import Steps
from tracking.server import PATIENCE, Answer, Server
from tracking.small_disk import SmallDisk
from tracking.trainer import Orders
from tracking.verdict import judge
from tracking.writer import LINES, Writer

ENDLESS = 1_000_000  # rows: until it is told to end


def setUpModule() -> None:
    hindrance = small_disk.hindrance()
    if hindrance:
        raise unittest.SkipTest(hindrance)


class FullServerTest(PlaceTest):
    """The data directory lies on a disk of 24 MB."""

    def setUp(self) -> None:
        super().setUp()
        self.disk = SmallDisk(self.place.path("disk"), 24 * 1024)
        log, environment = self.place.path("server.log"), self.place.environment
        self.place.server = Server(f"{self.disk.path}/data", log, environment)
        self.serve()

    def post_until_refused(self, run: str) -> Answer:
        """Batches of one client, until one is not taken."""
        for seq in range(10_000):
            row = {"seq": seq, "step": seq, "time": 0, "values": {"word": "x" * 20_000}}
            answer = self.server.request("POST", f"/runs/{run}/log?client=filler-1", json.dumps(row).encode(), LINES)
            if answer.status != 200:
                return answer
        raise AssertionError("a full disk takes 200 MB")

    def test_points_wait_and_then_arrive_once(self) -> None:
        run = self.server.get("/runs", {"project": "crash", "name": "filler"})["id"]
        trainers = [
            self.place.train(Orders("steady", self.place.notes, seed=1, rows=ENDLESS, steps=Steps.BACK, pause=0.002)),
            self.place.train(Orders("eight", self.place.notes, seed=2, rows=ENDLESS, processes=8, pause=0.02)),
        ]
        writer = Writer(self.server, random.Random(1), "writer", threading.Event())
        writer.start()
        self.wait_for(lambda: all(list(trainer.notes()) for trainer in trainers), "the trainers' first rows")
        self.wait_for(lambda: writer.acknowledged > 100, "the writer's first rows")
        self.wait_for(
            lambda: sum(len(noted.returned) for trainer in trainers for _, noted in trainer.notes()) >= 500,
            "five hundred rows of the trainers",
        )
        self.disk.fill()
        refused = self.post_until_refused(run)
        self.assertEqual((refused.status, refused.error["code"]), (503, "unavailable"))
        self.assertRegex(refused.error["message"] + refused.error["hint"], "(?i)disk.*full|full.*disk|space|room")
        # Reading goes on, and so do the trainers.
        self.assertEqual(self.server.request("GET", f"/runs/{run}").status, 200)
        time.sleep(1)
        self.assertTrue(all(trainer.lives for trainer in trainers))
        self.assertTrue(self.server.lives)
        self.disk.make_room()
        self.wait_for(lambda: not writer.faults and writer.acknowledged >= writer.sent, "the writer's rows")
        writer.stop()
        writer.join()
        for trainer in trainers:
            self.assertEqual(trainer.wait(), 0)
        self.place.settle()
        self.assertEqual((writer.faults, self.place.refusals()), ([], ""))
        self.assert_exactly_once(*trainers, logged=500)
        (stored,) = [run["id"] for run in self.server.items("/runs", project="crash") if run["name"] == "writer"]
        verdict = judge("writer", writer.seed, writer.steps, writer.notes(), self.rows(stored))
        self.assertTrue(verdict.is_good, verdict)

    def test_killed_while_it_is_full(self) -> None:
        """What was acknowledged before is there after a start on the full disk, or after one with room."""
        writer = Writer(self.server, random.Random(2), "writer", threading.Event())
        writer.start()
        self.wait_for(lambda: writer.acknowledged > 1000, "the writer's first rows")
        self.disk.fill()
        run = self.server.get("/runs?search=writer")["items"][0]["id"]
        self.assertEqual(self.post_until_refused(run).status, 503)
        self.server.end(signal.SIGKILL)
        self.server.start()
        # Up, or ended with words: both will do on a full disk.
        self.wait_for(lambda: self.server.is_up() or not self.server.lives, "a start or a refusal")
        if not self.server.lives:
            self.assertRegex(self.server.log(), "(?i)disk|space|room|full")
        self.disk.make_room()
        self.server.stop_if_alive()
        self.serve()
        self.wait_for(lambda: writer.faults or writer.acknowledged > 2000, "more of the writer's rows")
        writer.stop()
        writer.join()
        self.assertEqual(writer.faults, [])
        rows = [row for row in self.rows(run) if row.number is not None]  # not those of `post_until_refused`
        verdict = judge("writer", writer.seed, writer.steps, writer.notes(), rows)
        self.assertTrue(verdict.is_good, verdict)


class FullClientTest(PlaceTest):
    def test_rows_that_the_spool_cannot_take_are_dropped_and_counted(self) -> None:
        disk = SmallDisk(self.place.path("disk"), 256)
        self.serve()
        orders = Orders("full", self.place.notes, seed=4, rows=ENDLESS, pause=0.001, directory=f"{disk.path}/work")
        trainer = self.place.train(orders)
        self.wait_for(lambda: list(trainer.notes()), "the first rows")
        disk.fill()
        self.wait_for(lambda: any(noted.dropped for _, noted in trainer.notes()), "a row that was dropped")
        time.sleep(0.3)
        disk.make_room()
        ((_, before),) = trainer.notes()
        self.wait_for(
            lambda: [1 for _, noted in trainer.notes() if len(noted.returned) > len(before.returned) + 100],
            "rows that were kept again",
        )
        # Its sender, which could not note on the full disk what it had sent, goes on by itself.
        (run,) = [run["id"] for run in self.server.items("/runs", project="crash") if run["name"] == "full"]
        self.wait_for(lambda: len(self.rows(run)) > len(before.returned), "these rows, without a sync")
        self.assertEqual(trainer.wait(), 0)
        self.place.settle()
        said = pathlib.Path(self.place.path("trainers.log")).read_text()
        self.assertRegex(said, "[0-9]+ logged values could not be kept.*is on a disk that is full")
        self.assert_exactly_once(trainer, logged=100)


class ReadOnlyTest(PlaceTest):
    def test_a_server_says_that_it_cannot_write(self) -> None:
        disk = SmallDisk(self.place.path("disk"), 24 * 1024)
        log, environment = self.place.path("server.log"), self.place.environment
        self.place.server = Server(f"{disk.path}/data", log, environment)
        self.serve()
        self.assertEqual(self.server.end(signal.SIGTERM), 0)
        disk.make_read_only()
        done = self.server.run("up", "--port", "0")
        self.assertEqual(done.returncode, 73, done)
        self.assertRegex(done.stderr, "(?i)read-only|cannot be written|written")
        self.assertIn(disk.path, done.stderr)

    def test_a_spool_that_cannot_be_written_lies_elsewhere(self) -> None:
        disk = SmallDisk(self.place.path("disk"), 256)
        disk.make_read_only()
        self.serve()
        orders = Orders("nowhere", self.place.notes, seed=4, rows=100, directory=f"{disk.path}/work")
        trainer = self.place.train(orders)
        self.assertEqual(trainer.process.wait(PATIENCE), 0)
        said = pathlib.Path(self.place.path("trainers.log")).read_text()
        self.assertRegex(said, "the spool could not be written in .*Read-only file system")
        self.place.settle()
        self.assert_exactly_once(trainer, logged=100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
