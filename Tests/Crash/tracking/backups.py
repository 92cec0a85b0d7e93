"""Backups while points come in, of which some are killed: a backup is whole, or there is none."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from typing import NamedTuple

from tracking import history
from tracking.activity import Activity
from tracking.logged import Noted
from tracking.server import MARTLET, PATIENCE, Server
from tracking.verdict import Verdict, judge
from tracking.workplace import Workplace
from tracking.writer import Writer

MOST = 2  # that are kept
LOOKED_INTO = 5  # of the trainers, in each


class Backup(NamedTuple):
    """A backup, with the rows that the writer knew to be stored when it began, and had sent when it ended."""

    path: str
    acknowledged: int
    sent: int


class Backups(Activity):
    """`martlet backup`, again and again."""

    def __init__(self, place: Workplace, numbers: random.Random, writer: Writer) -> None:
        super().__init__(place.server, numbers, "backups")
        self._place = place
        self._writer = writer
        self._kept: list[Backup] = []

    def work(self) -> None:
        number = 0
        while not self.is_over and not self.faults:
            self.pause(self.numbers.uniform(0.3, 3))
            # One that was killed is made again at the same place.
            number += self._back_up(self._place.path(f"backup-{number}"))
            while len(self._kept) > MOST:
                shutil.rmtree(self._kept.pop(self.numbers.randrange(len(self._kept))).path)

    def _back_up(self, path: str) -> bool:
        """Whether something is at `path` now."""
        before = self._writer.acknowledged
        process = subprocess.Popen(
            [MARTLET, "backup", path],
            env=self.server.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self.numbers.random() < 0.4:
            self.pause(self.numbers.uniform(0, 0.3))
            process.kill()
        _, said = process.communicate(timeout=PATIENCE)
        backup = Backup(path, before, self._writer.sent)
        if process.returncode == 0:
            self.done["backups"] += 1
        elif process.returncode < 0:
            self.done["backups killed"] += 1
        else:
            self.faults.append(f"{self.name}: status {process.returncode}: {said[-500:]}")
        # Where a kill came too late, or too early, what is there must be whole too.
        if exists := os.path.exists(path):
            self._kept.append(backup)
        return exists

    def verdict(self) -> Verdict:
        verdict = super().verdict()
        for backup in self._kept:
            verdict.faults += self._look_into(backup)
        return verdict

    def _look_into(self, backup: Backup) -> list[str]:
        """A server on the backup has what was acknowledged before, each row once, and nothing that was never sent."""
        server = Server(backup.path, self._place.path("backup.log"), self._place.environment)
        server.start()
        try:
            server.ensure_up()
            found = Verdict()
            runs = history.runs(server)
            noted = Noted(
                frozenset(range(backup.acknowledged)),
                frozenset(range(backup.acknowledged, backup.sent)),
                frozenset(),
            )
            rows, faults = history.stored(server, runs.get(self._writer.name, []))
            found += judge("writer", self._writer.seed, self._writer.steps, [(0, noted)], rows)
            trainers = self._place.trainers
            for trainer in self.numbers.sample(trainers, min(LOOKED_INTO, len(trainers))):
                orders, notes = trainer.orders, trainer.perhaps()
                rows, more = history.stored(server, runs.get(orders.name, []))
                found += judge(orders.name, orders.seed, trainer.steps, notes, rows)
                faults += more
            return [f"{backup.path}: {fault}" for fault in found.faults + faults]
        finally:
            server.stop_if_alive()
