"""One store through some rounds of random kills: trainers, senders and the server, at random moments.

After the rounds everything is settled (the server is up, trainers have ended, and what their spools still hold is sent
by `python3 -m martlet sync`), and then it is judged.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import threading
import time
from typing import Callable, Optional

from tracking import history
from tracking.activity import Activity
from tracking.backups import Backups
from tracking.purger import Purger
from tracking.relay import Relay
from tracking.server import PATIENCE
from tracking.tally import Tally
from tracking.trainer import random_orders
from tracking.uploader import Uploader
from tracking.verdict import judge
from tracking.workplace import Trainer, Workplace, files_below
from tracking.writer import Writer

MOST_TRAINERS = 5  # at once


class Batch:
    """`place` is closed by whoever made it. `tally` holds the figures, also when `go` raises."""

    def __init__(self, place: Workplace, seeds: list[int]) -> None:
        self.place = place
        self.server = place.server
        self.tally = Tally()
        self._seeds = seeds
        self._numbers = random.Random(seeds[0])
        self._activities: list[Activity] = []
        self._writers: list[Writer] = []
        self._relay: Optional[Relay] = None
        self._restart_at = 0.0
        self._acks: dict[str, int] = {}  # rows by client, as far as senders noted them
        self._moment = threading.Event()  # something that is worth a kill goes on

    def go(self) -> None:
        """All of it. What is wrong stands in the tally; what cannot go on raises."""
        self.server.start()
        self.server.ensure_up()
        self._begin()
        try:
            for seed in self._seeds:
                self._round(seed)
                self.tally.rounds += 1
            self._settle()
            self._judge()
        finally:
            for activity in self._activities:
                activity.stop()
            if self._relay:
                self._relay.close()

    def _begin(self) -> None:
        """What goes on beside the trainers, as far as this server can do it."""
        seed = self._seeds[0]
        self._relay = Relay(self.server.port, seed)
        rewinds = self._can("POST", "/runs/:run/rewind")
        for number in range(2):
            numbers = random.Random(seed + number)
            writer = Writer(self.server, numbers, f"writer-{number}", self._moment, rewinds and number == 1)
            self._writers.append(writer)
        self._activities = [*self._writers]
        if self._can("DELETE", "/runs/:run"):
            self._activities.append(Purger(self.server, random.Random(seed), self._moment))
        if self._can("PUT", "/runs/:run/blobs/:sha256"):
            self._activities.append(Uploader(self.server, random.Random(seed), self._moment))
        if "backup" in self.server.run("--help").stdout:
            self._activities.append(Backups(self.place, random.Random(seed), self._writers[0]))
        else:
            self.tally.left_out.add("martlet backup")
        for activity in self._activities:
            activity.start()

    def _can(self, method: str, path: str) -> bool:
        if self.server.has(method, path):
            return True
        self.tally.left_out.add(f"{method} {path}")
        return False

    # One round

    def _round(self, seed: int) -> None:
        numbers = random.Random(seed)
        if numbers.random() < 0.8:  # else most trainers would begin without a server, and stay offline
            self.server.ensure_up()
        alive = sum(trainer.lives for trainer in self.place.trainers)
        trainers = [
            self._train(numbers, f"t{seed}-{number}")
            for number in range(min(numbers.choice((1, 1, 2)), MOST_TRAINERS - alive))
        ]
        if numbers.random() < 0.8:
            self._wait_for(lambda: all(any(trainer.notes()) or not trainer.lives for trainer in trainers))
        for _ in range(numbers.randrange(2, 6)):
            if numbers.random() < 0.5:
                self._wait_for(self.server.is_up)
            self._wait(numbers.uniform(0, 0.35))
            self._kill(numbers)

    def _train(self, numbers: random.Random, name: str) -> Trainer:
        assert self._relay is not None
        orders = random_orders(numbers, name)
        url = numbers.choice((None, None, self.server.url, self._relay.url))
        return self.place.train(orders, self.place.near(url))

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """A while at most: what does not come is no fault here."""
        end = time.monotonic() + 5
        while not condition() and time.monotonic() < end:
            self._wait(0.03)

    def _wait(self, seconds: float) -> None:
        """Lets them work, and starts the server when its time has come."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if not self.server.lives and now >= self._restart_at:
                self.server.start()
            time.sleep(max(0.0, min(0.02, end - now)))

    def _kill(self, numbers: random.Random) -> None:
        """One of those that are there; where there is no sender, or no trainer, the server."""
        kind = numbers.choice(("server", "server", "sender", "trainer"))
        if kind == "sender" and (senders := self.place.senders()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(numbers.choice(senders), signal.SIGKILL)
                self.tally.kills[kind] += 1
        elif kind == "trainer" and (trainers := [trainer for trainer in self.place.trainers if trainer.lives]):
            self._end(numbers.choice(trainers), numbers)
        else:
            self._kill_server(numbers)

    def _kill_server(self, numbers: random.Random) -> None:
        """At any moment, or shortly after something has begun that takes more than one commit."""
        self.server.check()
        if not self.server.lives:
            return
        if numbers.random() < 0.5:
            self._moment.clear()
            self._moment.wait(0.3)
            time.sleep(numbers.choice((0, 0.003, 0.03)) * numbers.random())
        self._note_acknowledged()
        self.server.end()
        self.tally.kills["server"] += 1
        self._restart_at = time.monotonic() + numbers.choice((0, 0, 0.1, 0.8))

    def _end(self, trainer: Trainer, numbers: random.Random) -> None:
        """Kills it; or, now and then, lets it come to its own end."""
        if numbers.random() < 0.2:
            trainer.tell_to_end()
        else:
            trainer.kill(group=numbers.random() < 0.5)
            self.tally.kills["trainer"] += 1

    def _note_acknowledged(self) -> None:
        for path in map(pathlib.Path, files_below(self.place.home, ".ack")):
            try:
                told = json.loads(path.read_bytes())["next_seq"]
            except (OSError, ValueError):
                continue  # gone by now
            self._acks[path.stem] = max(told, self._acks.get(path.stem, 0))

    # The end

    def _settle(self) -> None:
        for activity in self._activities:
            activity.stop()
        for trainer in self.place.trainers:
            trainer.tell_to_end()
        if self._numbers.random() < 0.5:
            self.tally.kills["sender"] += self.place.kill_senders()
        self.server.ensure_up()
        for trainer in self.place.trainers:
            trainer.wait()
        for activity in self._activities:
            activity.join(PATIENCE)
        if self._relay:  # some senders know no other way to the server
            self._relay.calm()
        for by_client in (True, False):
            self._sync_and_kill(by_client)
        self.place.settle()
        self.server.ensure_up()

    def _sync_and_kill(self, by_client: bool) -> None:
        """A `sync` that does not come to its end, or the server that it speaks to."""
        self.server.ensure_up()
        process = self.place.start_sync(by_client)
        time.sleep(self._numbers.uniform(0, 0.5))
        if self._numbers.random() < 0.5:
            self.server.end()
            self.tally.kills["server"] += 1
        process.kill()
        process.communicate()
        self.tally.kills["sender"] += 1

    def _judge(self) -> None:
        tally, verdict = self.tally, self.tally.verdict
        if refusals := self.place.refusals():
            verdict.faults.append(f"refused: {refusals[:1000]}")
        runs = history.runs(self.server)
        for trainer in self.place.trainers:
            orders = trainer.orders
            rows, faults = history.stored(self.server, runs.get(orders.name, []))
            verdict += judge(orders.name, orders.seed, trainer.steps, trainer.notes(), rows)
            verdict.faults += faults
        for activity in self._activities:
            verdict += activity.verdict()
            tally.done += activity.done
            if activity.is_alive():
                verdict.faults.append(f"{activity.name} does not end")
        verdict.faults += self._doctor()
        tally.acknowledged += sum(writer.acknowledged for writer in self._writers) + sum(self._acks.values())
        self._count_chunks()

    def _doctor(self) -> list[str]:
        """What `martlet doctor` calls an error."""
        deep = ["--deep"] if "--deep" in self.server.run("doctor", "--help").stdout else []
        if not deep:
            self.tally.left_out.add("martlet doctor --deep")
        done = self.server.run("doctor", "--format", "json", *deep)
        return [f"doctor: {check}" for check in json.loads(done.stdout) if check["status"] == "error"]

    def _count_chunks(self) -> None:
        """Whether anything was sealed while it was killed; no answer of the server's tells."""
        database = sqlite3.connect(f"file:{self.server.data}/martlet.db?mode=ro", uri=True, timeout=60)
        try:
            (chunks,) = database.execute("SELECT count(*) FROM row_chunk").fetchone()
            self.tally.done["chunks sealed"] += chunks
        except sqlite3.OperationalError:
            self.tally.left_out.add("sealing")
        finally:
            database.close()
