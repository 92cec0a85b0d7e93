#!/usr/bin/env python3
"""Who watches through the live feed misses nothing and hears nothing twice: over broken lines, and under kill -9.

Run: python3 Tests/Crash/test_feed.py        MARTLET_BIN names the program
MARTLET_FEED_ROUNDS (6) and MARTLET_CRASH_SEED (random; it is printed) are those of the random breaks.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import unittest
from typing import Any

from tracking.case import PlaceTest
from tracking.server import PATIENCE, Server
from tracking.watching import Watcher

ROUNDS = int(os.environ.get("MARTLET_FEED_ROUNDS", "6"))
SEED = int(os.environ.get("MARTLET_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))
RUNS = 4
AIM = 300  # rows that every run gets in a round, at least


class Writer:
    """Logs to one run over HTTP, row after row; what got no answer is sent again under the same number."""

    def __init__(self, server: Server, run: str, seed: int) -> None:
        self.logged = 0
        self._server = server
        self._run = run
        self._dice = random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)

    def _write(self) -> None:
        path = f"/runs/{self._run}/log?client=writer-1"
        while not self._ended.is_set():
            rows = range(self.logged, self.logged + self._dice.randint(1, 30))
            lines = [json.dumps({"seq": row, "step": row, "values": {"loss": row / 2}}) for row in rows]
            while not self._is_taken(path, "\n".join(lines).encode()):
                time.sleep(0.02)
            self.logged = rows[-1] + 1
            self._ended.wait(self._dice.random() / 50)

    def _is_taken(self, path: str, body: bytes) -> bool:
        try:
            return self._server.request("POST", path, body, "application/x-ndjson").status == 200
        except OSError:
            return False


class FeedTest(PlaceTest):
    def test_servers_killed_and_lines_broken(self) -> None:
        print(f"{ROUNDS} rounds, MARTLET_CRASH_SEED={SEED} ... ", end="", flush=True)
        dice = random.Random(SEED)
        self.serve()
        runs = [self._new_run(f"run {number}") for number in range(RUNS)]
        watcher = Watcher(self.server, "feed", runs, "loss")
        self.addCleanup(watcher.close)
        writers = [Writer(self.server, run, SEED + number) for number, run in enumerate(runs)]
        for writer in writers:
            self.addCleanup(writer.close)
        for number in range(ROUNDS):
            self._wait_until(watcher, lambda aim=(number + 1) * AIM: min(w.logged for w in writers) >= aim, "more rows")
            # Where changes other than points happen, too.
            self._change(runs[number % RUNS], f"round {number}")
            if dice.random() < 0.5:
                self.server.end()
                self.server.ensure_up()
            else:
                watcher.cut()
            runs_too = self._new_run(f"late {number}")
            if number % 2:
                self.server.request("DELETE", f"/runs/{runs_too}")
        self.server.end()
        self.server.ensure_up()
        for writer in writers:
            writer.close()
        self._wait_until(watcher, lambda: self._is_whole(watcher, writers, runs), "what the server has")
        self.assertGreater(watcher.count["points"], 0)
        print(f"{dict(watcher.count)} ... ", end="", flush=True)

    def test_a_line_that_breaks_is_gone_on_with(self) -> None:
        self.serve()
        run = self._new_run("alone")
        watcher = Watcher(self.server, "feed", [run], "loss")
        self.addCleanup(watcher.close)
        self._wait_until(watcher, lambda: watcher.count["snapshot"] == 1 and watcher.count["reads"] == 1, "a start")
        writer = Writer(self.server, run, 1)
        self.addCleanup(writer.close)
        for number in range(5):
            self._wait_until(watcher, lambda least=writer.logged: len(watcher.steps[run]) > least, "points")
            watcher.cut()
            # Both subscriptions are gone on with, each time.
            self._wait_until(watcher, lambda least=2 * number + 2: watcher.count["resumed"] >= least, "its return")
        writer.close()
        self._wait_until(watcher, lambda: self._is_whole(watcher, [writer], [run]), "what the server has")
        self.assertEqual((watcher.count["reset"], watcher.count["snapshot"]), (0, 1))

    def _new_run(self, name: str) -> str:
        answer = self.server.get("/runs", {"project": "feed", "name": name})
        return str(answer["id"])

    def _change(self, run: str, notes: str) -> None:
        self.server.request("PATCH", f"/runs/{run}", {"notes": notes})

    def _wait_until(self, watcher: Watcher, condition: Any, what: str) -> None:
        def is_so() -> bool:
            if watcher.fault:
                raise watcher.fault
            return bool(condition())

        self.wait_for(is_so, f"{what} (seed {SEED}, heard {dict(watcher.count)})")

    def _is_whole(self, watcher: Watcher, writers: list[Writer], runs: list[str]) -> bool:
        """Whether the page shows what the server has: each row once, and every run as it is."""
        for writer, run in zip(writers, runs):
            steps = list(watcher.steps[run])
            if steps != sorted(set(steps)):
                raise AssertionError(f"steps of {run} came twice or out of order")
            if steps != list(range(writer.logged)):
                return False
        rows = {row["id"]: row for row in self.server.items("/runs", project="feed")}
        told = dict(watcher.rows)
        watched = ("name", "notes", "state", "points", "last_step")
        return told.keys() == rows.keys() and all(
            told[run][member] == row[member] for run, row in rows.items() for member in watched
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
