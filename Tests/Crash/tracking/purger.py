"""Deletes runs for good while the server is killed: a run is whole, or it is gone."""

from __future__ import annotations

import json
import random
import threading

from tracking import history
from tracking.activity import Activity
from tracking.server import Server
from tracking.verdict import Verdict
from tracking.writer import LINES

ROWS = 4_500  # of each run: a chunk and a tail
MOST_RUNS = 12


class Purger(Activity):
    """Makes runs and purges them, one after the other."""

    def __init__(self, server: Server, numbers: random.Random, moment: threading.Event) -> None:
        super().__init__(server, numbers, "purger")
        self._moment = moment
        self._purged: list[str] = []  # a server has said so
        self._asked: list[str] = []  # no server has said so yet

    def work(self) -> None:
        for number in range(MOST_RUNS):
            run = self.create(f"victim-{number}")
            if run is None or not self._fill(run):
                return
            self.pause(self.numbers.uniform(0, 1))
            if not self._purge(run):
                return

    def _fill(self, run: str) -> bool:
        """False when told to stop before."""
        for first in range(0, ROWS, 1_500):
            rows = [{"seq": seq, "step": seq, "time": seq, "values": {"n": seq}} for seq in range(first, first + 1_500)]
            body = "\n".join(map(json.dumps, rows)).encode()
            while not self.ask("POST", f"/runs/{run}/log?client=victim-0", body, LINES):
                if self.is_over:
                    return False
                self.pause()
        return True

    def _purge(self, run: str) -> bool:
        self._asked.append(run)
        while not self.is_over:
            self._moment.set()
            # 404: an earlier try did it, and its answer was lost.
            if self.ask("DELETE", f"/runs/{run}?purge=true", also=(404,)):
                self._asked.remove(run)
                self._purged.append(run)
                self.done["runs purged"] += 1
                return True
            self._look_at(run)
            self.pause()
        return False

    def _look_at(self, run: str) -> None:
        """After a try without an answer: the run is not there, or in the trash, or has all its rows."""
        found = self.ask("GET", f"/runs/{run}", also=(404,))
        if not found or found.status == 404 or found.json.get("deleted_at"):
            return
        rows = self.ask("GET", f"/runs/{run}/history?keys=n", also=(404,))
        if rows and rows.status == 200 and (count := len(rows.data.splitlines())) != ROWS:
            self.faults.append(f"{self.name}: a run that is to be purged has {count} of its {ROWS} rows")

    def verdict(self) -> Verdict:
        verdict = super().verdict()
        listed = {run["id"] for run in self.server.items("/runs", project="crash")}
        for run in self._purged:
            if run in listed or self.server.request("GET", f"/runs/{run}").status != 404:
                verdict.faults.append(f"{self.name}: {run} was purged and is there")
        for run in self._asked:
            if run in listed and (count := sum(1 for _ in history.rows(self.server, run))) != ROWS:
                verdict.faults.append(f"{self.name}: {run} has {count} of its {ROWS} rows")
        return verdict
