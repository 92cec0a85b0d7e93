"""A directory with all that one batch of rounds makes, and the processes that work there."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from tracking import guard, torn
from tracking.logged import Noted, Steps, read_notes
from tracking.server import MARTLET, PATIENCE, ROOT, Server
from tracking.trainer import Orders

HERE = pathlib.Path(__file__).resolve().parent
CLIENT = ROOT / "clients/python"


class Trainer:
    """A training program that was started, and its notes."""

    def __init__(self, orders: Orders, process: subprocess.Popen[bytes]) -> None:
        self.orders = orders
        self.process = process

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def kill(self, group: bool) -> None:
        """Kills the program; `group`: with what it forked. Its senders have a group of their own."""
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()

    def tell_to_end(self) -> None:
        """Ends the wait of those that are told to wait, and the logging of all."""
        if self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def wait(self, seconds: float = PATIENCE) -> int:
        self.tell_to_end()
        return self.process.wait(seconds)

    @property
    def steps(self) -> Steps:
        return Steps(self.orders.steps)

    def perhaps(self) -> Iterator[tuple[int, Noted]]:
        """As `notes`, for a store that may have some of it only."""
        for writer, noted in self.notes():
            yield writer, Noted(frozenset(), noted.returned | noted.maybe, noted.dropped)

    def notes(self) -> Iterator[tuple[int, Noted]]:
        """Each writer that noted something, and what."""
        for writer in range(self.orders.processes * self.orders.threads):
            path = os.path.join(self.orders.notes, f"{self.orders.name}.{writer}")
            if os.path.exists(path):
                yield writer, read_notes(path)


class Workplace:
    """Close it, and nothing is left: also when this very process is killed, as a guard of its own sees to that."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        """`options` are those of `martlet up`."""
        self.root = tempfile.mkdtemp(prefix="martlet-crash-")
        self.notes = self._directory("notes")
        self.home = self._directory("home")
        self._guard = subprocess.Popen(
            [sys.executable, "-IS", HERE / "guard.py", self.root],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            "TMPDIR": self._directory("tmp"),
            "PYTHONPATH": f"{CLIENT}:{HERE.parent}",
            "PYTHONPYCACHEPREFIX": os.path.join(self.root, "pycache"),
            "MARTLET_FINISH_TIMEOUT": "1",
            guard.MARK: self.root,
        }
        self.trainers: list[Trainer] = []
        self.server = Server(self.path("data"), self.path("server.log"), self.environment, options)

    @property
    def children(self) -> set[int]:
        """Processes that this one started and waits for."""
        return {self._guard.pid, self.server.pid, *(trainer.process.pid for trainer in self.trainers)}

    def path(self, name: str) -> str:
        return os.path.join(self.root, name)

    def _directory(self, name: str) -> str:
        os.makedirs(path := self.path(name))
        return path

    def near(self, url: Optional[str] = None) -> dict[str, str]:
        """The environment of a client: of the server by its data directory, or by this address and the token."""
        if url is None:
            return {**self.environment, "MARTLET_DATA": self.server.data}
        return {**self.environment, "MARTLET_URL": url, "MARTLET_TOKEN": self.server.token}

    def train(self, orders: Orders, environment: Optional[Mapping[str, str]] = None) -> Trainer:
        """Starts a trainer; what it says goes to its own file."""
        orders = dataclasses.replace(orders, notes=self.notes)
        with open(self.path("trainers.log"), "ab") as log:
            process = subprocess.Popen(
                [sys.executable, HERE / "trainer.py", json.dumps(dataclasses.asdict(orders))],
                env=dict(environment or self.near()),
                cwd=self.home,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        trainer = Trainer(orders, process)
        self.trainers.append(trainer)
        return trainer

    def senders(self) -> list[int]:
        """Every sender that works for a trainer of this place."""
        found = []
        for pid in guard.marked(self.root):
            with contextlib.suppress(OSError):
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if any(word.endswith(b"_sender.py") for word in command):
                    found.append(pid)
        return found

    def kill_senders(self) -> int:
        """Kills all there are; returns how many."""
        senders = self.senders()
        for pid in senders:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(senders)

    def spool_files(self) -> list[str]:
        """Spools with something in them."""
        return [path for path in files_below(self.root, ".spool") if torn.holds_something(path)]

    def refusals(self) -> str:
        """What servers refused for good; none should have been."""
        return "".join(pathlib.Path(path).read_text() for path in sorted(files_below(self.root, ".error")))

    def start_sync(self, by_client: bool, directory: Optional[str] = None) -> subprocess.Popen[str]:
        """`python3 -m martlet sync` or `martlet sync`, by default of all that there is in this place."""
        program = [sys.executable, "-m", "martlet"] if by_client else [MARTLET]
        return subprocess.Popen(
            [*program, "sync", directory or self.root],
            env=self.near(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def sync(self, by_client: bool = True, directory: Optional[str] = None) -> str:
        """Goes through once; returns what it said."""
        process = self.start_sync(by_client, directory)
        try:
            return process.communicate(timeout=20 * PATIENCE)[0]
        finally:
            process.kill()
            process.wait()

    def settle(self, patience: float = PATIENCE) -> None:
        """Until the server has whatever is in a spool: senders that still are at it, and both kinds of `sync`."""
        end = time.monotonic() + patience
        said = ""
        for by_client in itertools.cycle((True, False)):
            if not self.spool_files():
                return
            if time.monotonic() > end:
                raise AssertionError(f"spools are left after {patience:.0f} s:\n{said}\n{self.refusals()}")
            self.server.ensure_up()
            said = self.sync(by_client)[-2000:]
            time.sleep(0.05)

    def close(self, keep: bool = False) -> None:
        """Kills what still runs and removes the directory, unless it is to be kept."""
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError):
            self._guard.stdin.write(b"keep" if keep else b"")
        with contextlib.suppress(OSError):
            self._guard.stdin.close()
        self._guard.wait(PATIENCE)
        for trainer in self.trainers:
            trainer.tell_to_end()
            trainer.kill(group=True)
        if self.server.lives:
            self.server.end()


def files_below(directory: str, suffix: str) -> list[str]:
    """Folders that a sender removes meanwhile are passed over, which `Path.rglob` does not."""
    return [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names if name.endswith(suffix)]
