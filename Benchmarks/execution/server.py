"""A Martlet server on a store of its own, and the sweeps that are run on it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Optional

from tracking import api
from tracking.processes import Group

from execution.accounting import Account

START = 60.0  # seconds for the first answer
QUIET = 2.0  # seconds without work after which a server has put nothing off
LONGEST = 3_600.0  # seconds that a sweep may take


class Cost(NamedTuple):
    """Of one sweep."""

    wall: float  # seconds from the start of `martlet sweep run` to its end
    cpu: float  # seconds: server, supervisors, commands and client, what the server puts off included
    resident: int  # bytes of the server alone at the end


class SweepFailed(Exception):
    """The client's own words."""


class Server:
    """Up from `with` on. Its directory stays: for a minute after thousands of files were removed, ext4 without a
    journal goes through their inodes whenever a file is made. The next cell would pay for that."""

    def __init__(self, martlet: Path, scratch: str, options: Sequence[str] = ()) -> None:
        self._martlet = str(martlet)
        self._root = tempfile.mkdtemp(prefix="execution-", dir=scratch)
        self._options = options
        self._port = api.free_port()
        self.data = os.path.join(self._root, "data")
        self.group = Group("martlet")
        self.account = Account(self.group)
        self.pid = 0
        self.start = 0.0  # seconds to the first answer
        self._sweeps = 0
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")}
        self.environment = {**kept, "MARTLET_DATA": self.data, "HOME": self._root}

    def __enter__(self) -> Server:
        began = time.monotonic()
        command = [self._martlet, "up", "--port", str(self._port), *self._options]
        with open(self._log, "wb") as log:
            process = self.group.start(
                self.account.command(command), environment=self.environment, directory=self._root, log=log
            )
        self.pid = process.pid
        while not self._answers():
            if self.group.ended(process) is not None or time.monotonic() - began > START:
                words = Path(self._log).read_text(errors="replace")[-600:]
                self.__exit__(None, None, None)
                raise SweepFailed(f"the server gave no answer: {words}")
            time.sleep(0.002)
        self.start = time.monotonic() - began
        self.account.settle(QUIET)
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.group.terminate(longest=30)
        self.account.close()

    def sweep(self, command: Sequence[str], trials: int, parallel: int, longest: float = LONGEST, **more: Any) -> Cost:
        """Runs one to its end. Raises `SweepFailed` unless every trial worked."""
        before = self.account.cpu()
        client = self.begin(command, trials, parallel, **more)
        began = time.monotonic()
        # Asked of the kernel alone: going through all processes takes the time of some trials.
        while os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() - began > longest:
                raise SweepFailed(f"{trials} trials took more than {longest:.0f} s")
            time.sleep(0.002)
        wall = time.monotonic() - began
        if self.group.ended(client) != 0:
            raise SweepFailed(Path(self._client_log).read_text(errors="replace")[-600:])
        cpu = self.account.settle(QUIET) - before
        return Cost(wall, cpu, self.resident)

    def begin(self, command: Sequence[str], trials: int, parallel: int, **more: Any) -> subprocess.Popen[bytes]:
        """Starts `martlet sweep run`; the process."""
        self._sweeps += 1
        folder = os.path.join(self._root, f"sweep-{self._sweeps}")
        os.mkdir(folder)
        file = os.path.join(folder, "sweep.json")
        content = {
            "name": f"bench-{self._sweeps}",
            "method": "grid",
            "command": list(command),
            "parameters": {"number": {"values": list(range(trials))}},
            "max_parallel": parallel,
            **more,
        }
        Path(file).write_text(json.dumps(content))
        with open(self._client_log, "wb") as log:
            return self.group.start(
                self.account.command([self._martlet, "sweep", "run", file, "--output", folder]),
                environment=self.environment,
                directory=folder,
                log=log,
            )

    def stop(self, client: subprocess.Popen[bytes]) -> None:
        """Stops the newest sweep, so that nothing of it stays, and waits for its client."""
        command = [self._martlet, "sweep", "stop", f"bench-{self._sweeps}", "--grace", "1"]
        subprocess.run(command, env=self.environment, cwd=self._root, check=True, capture_output=True)
        deadline = time.monotonic() + 60
        while self.group.ended(client) is None and time.monotonic() < deadline:
            time.sleep(0.1)

    @property
    def resident(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    @property
    def _log(self) -> str:
        return os.path.join(self._root, "server.log")

    @property
    def _client_log(self) -> str:
        return os.path.join(self._root, f"client-{self._sweeps}.log")

    def _answers(self) -> bool:
        try:
            return bool(api.Connection(self._port, timeout=5).get("/health") == {"status": "ok"})
        except (OSError, ValueError, api.Refused):
            return False
