"""What the tests share: trainers as real processes, a home and a server for each test, and waiting."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any, Callable

from server import PATIENCE, TOKEN, Server

CLIENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, CLIENT)

__all__ = ["CLIENT", "PATIENCE", "TOKEN", "ClientTest", "Server", "wait_for"]


def wait_for(what: Callable[[], Any], message: str = "what was waited for") -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(f"{message} did not come within {PATIENCE:.0f} s")
        time.sleep(0.01)


class ClientTest(unittest.TestCase):
    """A home of its own for each test, and no process left behind."""

    def setUp(self) -> None:
        self.home = tempfile.mkdtemp(prefix="martlet-test-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.addCleanup(self.no_sender_is_left)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")}
        # A program's end waits longer for the server than the half a minute that it would: the machine may be loaded.
        self.environment.update(HOME=self.home, PYTHONPATH=CLIENT, MARTLET_FINISH_TIMEOUT="90")
        # What is looked up of the machine has tests of its own, which take this away.
        self.environment["MARTLET_CAPTURE"] = "off"

    def serve(self) -> Server:
        server = Server()
        self.addCleanup(server.down)
        self.environment.update(MARTLET_URL=server.url, MARTLET_TOKEN=TOKEN)
        return server

    def attempt(self, server: Server, run: str = "k2f9a0xy") -> str:
        """The environment of an attempt; returns the spool's directory."""
        server.runs[run] = {"id": run, "config": {}}
        directory = os.path.join(self.home, "out", "swift-finch-3")
        os.makedirs(directory)
        self.environment.update(MARTLET_RUN_ID=run, MARTLET_RUN_DIR=directory, MARTLET_PROJECT="digits")
        return os.path.join(directory, ".martlet")

    def start(self, code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A trainer. `code` follows the imports that every trainer has."""
        # Ctrl-C works in every trainer, even where this suite itself was started in the background by a script.
        head = (
            "import json, os, signal, sys, threading, time\nimport martlet\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        )
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.home, **options}
        process = subprocess.Popen([sys.executable, "-c", head + code, *arguments], env=self.environment, **options)
        self.addCleanup(end, process)
        return process

    def train(self, code: str, *arguments: str, expect: int = 0) -> tuple[str, str]:
        """Runs a trainer to its end; returns what it printed on stdout and stderr."""
        process = self.start(code, *arguments)
        out, err = process.communicate(timeout=2 * PATIENCE)
        self.assertEqual(process.returncode, expect, err)
        return out, err

    def senders(self, program: str = "_sender.py") -> list[int]:
        """The senders of this test's spools, found by their command line; or its keepers."""
        found = {}
        for entry in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    command = file.read().decode(errors="replace").split("\0")
                if any(part.endswith(program) for part in command) and any(self.home in part for part in command):
                    with open(f"/proc/{entry}/stat", "rb") as file:
                        found[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
        return [pid for pid, parent in found.items() if parent not in found]  # not one that is about to become a git

    def spools(self) -> list[str]:
        return sorted(
            os.path.join(parent, name)
            for parent, _, names in os.walk(self.home)
            for name in names
            if name.endswith(".spool")
        )

    def no_sender_is_left(self) -> None:
        deadline = time.monotonic() + PATIENCE  # a sender that has said its last word takes a moment to end
        while (left := self.senders() + self.senders("_keeper.py")) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.assertEqual(left, [], "senders were left behind")


def end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
