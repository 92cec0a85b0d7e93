#!/usr/bin/env python3
"""Sweeps of trials that do whatever programs do wrong, under servers that are killed; and that the account of them
finds what is wrong.

Run: python3 Tests/Crash/test_trials.py        MARTLET_BIN names the program
MARTLET_TRIAL_ROUNDS (1) and MARTLET_CRASH_SEED (random; it is printed) are those of the sweeps, of which
`make crash-trials ROUNDS=3` makes larger ones.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Callable

from tracking import guard
from tracking.server import Body, Server
from trials import leftovers
from trials.account import Account, Attempt, Notes, Trial, account

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("MARTLET_TRIAL_ROUNDS", "1"))
SEED = int(os.environ.get("MARTLET_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))

POINTS = [(0, 0), (0, 1), (0, 2)]
NOTES = [
    "begin 0 1 -",
    "end 0 1 -",
    "begin 1 1 4",
    "fail 1 1 -",
    "begin 1 2 5",
    "end 1 2 -",
    "begin 2 1 0,1",
    "crash 2 1 -",
    "begin 2 2 2,3",
    "fail 2 2 -",
]


def attempt(number: int, state: str, devices: str = "", code: int = 0, signal: int = 0, reason: str = "") -> Attempt:
    return Attempt(
        number, state, None if signal else code, signal or None, reason, tuple(devices.split(",")) if devices else ()
    )


def trials() -> list[Trial]:
    return [
        Trial(0, (0, 0), "complete", 0.0, [attempt(1, "finished")]),
        Trial(1, (0, 1), "complete", 1.0, [attempt(1, "failed", "4", code=3), attempt(2, "finished", "5")]),
        Trial(2, (0, 2), "failed", None, [attempt(1, "crashed", "0,1", signal=9), attempt(2, "failed", "2,3", code=3)]),
    ]


class AccountTest(unittest.TestCase):
    def found(self, change: Callable[[list[Trial], list[str]], None], orphaned: tuple[int, int] = (-1, -1)) -> Account:
        told, lines = trials(), list(NOTES)
        change(told, lines)
        return account(POINTS, told, Notes(lines), {orphaned})

    def test_what_is_right_is_good(self) -> None:
        found = self.found(lambda told, lines: None)
        self.assertEqual(found.faults, [])
        self.assertTrue(found.is_good)
        self.assertEqual((found.trials, found.attempts), (3, 5))

    def test_what_is_twice_is_found(self) -> None:
        def point(told: list[Trial], lines: list[str]) -> None:
            told.append(told[0]._replace(number=3))

        def begin(told: list[Trial], lines: list[str]) -> None:
            lines.append(lines[0])

        def clash(told: list[Trial], lines: list[str]) -> None:
            lines.append("clash 1 2 device-5")

        def success(told: list[Trial], lines: list[str]) -> None:
            told[0] = told[0]._replace(attempts=[attempt(1, "finished"), attempt(2, "finished")])
            lines += ["begin 0 2 -", "end 0 2 -"]

        def retry(told: list[Trial], lines: list[str]) -> None:
            told[2] = told[2]._replace(attempts=[*told[2].attempts, attempt(3, "failed", "0,1", code=3)])
            lines += ["begin 2 3 0,1", "fail 2 3 -"]

        for change in (point, begin, clash, success, retry):
            with self.subTest(change=change.__name__):
                self.assertEqual(self.found(change).twice, 1)

    def test_what_is_lost_is_found(self) -> None:
        def point(told: list[Trial], lines: list[str]) -> None:
            del told[2], lines[6:]

        def end(told: list[Trial], lines: list[str]) -> None:
            told[0] = told[0]._replace(state="running")

        def record(told: list[Trial], lines: list[str]) -> None:
            lines.append("begin 0 2 -")

        def success(told: list[Trial], lines: list[str]) -> None:
            told[1] = told[1]._replace(state="failed")

        def value(told: list[Trial], lines: list[str]) -> None:
            told[1] = told[1]._replace(objective=0.5)

        def retry(told: list[Trial], lines: list[str]) -> None:
            told[2] = told[2]._replace(attempts=told[2].attempts[:1])
            del lines[8:]

        for change in (point, end, record, success, value, retry):
            with self.subTest(change=change.__name__):
                self.assertGreater(self.found(change).lost, 0)

    def test_ends_that_do_not_fit_are_found(self) -> None:
        def without_end(told: list[Trial], lines: list[str]) -> None:
            lines.remove("end 0 1 -")

        def other_devices(told: list[Trial], lines: list[str]) -> None:
            lines[4] = "begin 1 2 6"

        def too_few_devices(told: list[Trial], lines: list[str]) -> None:
            lines[8] = "begin 2 2 2"

        def other_end(told: list[Trial], lines: list[str]) -> None:
            told[2] = told[2]._replace(attempts=[told[2].attempts[0], attempt(2, "timedOut", "2,3")])

        for change in (without_end, other_devices, too_few_devices, other_end):
            with self.subTest(change=change.__name__):
                self.assertNotEqual(self.found(change).faults, [])

    def test_of_an_orphan_nobody_knows_the_end(self) -> None:
        def lose(told: list[Trial], lines: list[str]) -> None:
            told[0] = told[0]._replace(attempts=[attempt(1, "crashed"), attempt(2, "finished")])
            lines += ["begin 0 2 -", "end 0 2 -"]

        self.assertEqual(self.found(lose, orphaned=(0, 1)).faults, [])
        self.assertNotEqual(self.found(lose).faults, [])


class Idle(Server):
    """Stands for a server: this very process, which says that one device is held and one run runs."""

    @property
    def pid(self) -> int:
        return os.getpid()

    def get(self, path: str, body: Body = None) -> Any:
        return {"devices": [{"index": 0, "holder": "abc"}, {"index": 1, "holder": None}], "running": 1, "queued": 0}


# Holds a lock, leaves a dead child unburied, says so, and stays.
LEFT = """
import fcntl, os, sys, time
child = os.fork()
if not child:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(600)
"""


class LeftoversTest(unittest.TestCase):
    def test_what_is_left_is_found(self) -> None:
        root = os.path.realpath(tempfile.mkdtemp(prefix="martlet-left-"))
        self.addCleanup(shutil.rmtree, root)
        data, held = os.path.join(root, "data"), os.path.join(root, "place", "held")
        for folder in (held, os.path.join(root, "tmp"), os.path.join(data, "runs", "r", "attempt-1")):
            os.makedirs(folder)
        server = Idle(data, os.path.join(root, "log"), {})
        before = leftovers.left(root, server)
        self.assertEqual([len(names) for names in before], [0, 2, 0, 0, 0, 0, 0])

        pathlib.Path(root, "tmp", "scratch").touch()
        pathlib.Path(data, "exit.json.tmp").touch()
        log = open(os.path.join(data, "runs", "r", "attempt-1", "stdout.log"), "w")  # noqa: SIM115 (left open on purpose)
        self.addCleanup(log.close)
        # One is known by its environment, the other by where it works.
        for number, (environment, directory) in enumerate((({guard.MARK: root}, "/"), ({}, held))):
            lock = os.path.join(held, f"trial-{number}")
            process = subprocess.Popen(
                [sys.executable, "-ISc", LEFT, lock],
                env=environment,
                cwd=directory,
                stdout=subprocess.PIPE,
            )
            self.addCleanup(self.end, process)
            assert process.stdout
            self.assertEqual(process.stdout.readline(), b"ready\n")
        found = leftovers.left(root, server)
        counts = {kind: len(names) for kind, names in found._asdict().items()}
        # The zombie of the one that is known by its place alone is its parent's own matter.
        expected = {"devices": 2, "zombies": 1, "cgroups": 0, "files": 2, "descriptors": 1, "locks": 2}
        self.assertEqual({kind: counts[kind] for kind in expected}, expected)
        self.assertGreaterEqual(counts["processes"], 2)

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.communicate()


class TrialsTest(unittest.TestCase):
    def test_sweeps_under_servers_that_are_killed(self) -> None:
        words = ["--rounds", ROUNDS, "--seed", SEED, "--trials", 40, "--parallel", 8, "--kills", 6]
        # In a process of its own: it adopts orphans.
        done = subprocess.run(
            [sys.executable, "-B", HERE / "crash_trials.py", *(str(word) for word in words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(done.stdout.splitlines()[-1], end=" ... ", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
