"""A tracker's server with its store, up and down as often as is asked."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import sqlite3
import tempfile
import time
from types import TracebackType
from typing import Any, Optional

from tracking import api
from tracking.agents import Agent
from tracking.processes import Group
from tracking.systems.base import Place, System

START = 200.0  # seconds for the first answer


class NoAnswer(Exception):
    """The server ended, or took too long; the message holds the end of its log."""


class Service:
    """Its store lies in a directory of its own under `scratch` and is removed by `close`."""

    def __init__(self, system: System, scratch: str) -> None:
        self.system = system
        self._root = tempfile.mkdtemp(prefix=f"{system.name}-", dir=scratch)
        data, clients = os.path.join(self._root, "data"), os.path.join(self._root, "clients")
        os.mkdir(data, 0o700)
        os.mkdir(clients)
        self.place = Place(data, api.free_port(), clients)
        self.group = Group(f"{system.name}-server")
        self.clients = Group(f"{system.name}-clients")
        self.pid = 0
        self._agents: list[Agent] = []

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def start(self) -> float:
        """Seconds from its start to its first useful answer."""
        self.group = Group(f"{self.system.name}-server")
        began = time.monotonic()
        with open(self._log, "ab") as log:
            process = self.group.start(
                self.system.command(self.place),
                environment=self.system.environment(self.place),
                directory=self._root,
                log=log,
            )
        self.pid = process.pid
        while not self._answers():
            if self.group.ended(process) is not None or time.monotonic() - began > START:
                self.group.kill()
                raise NoAnswer(f"{self.system.name}'s server gave no answer: {self._last_words()}")
            time.sleep(0.001)
        took = time.monotonic() - began
        self.place = Place(self.place.data, self.place.port, self.place.scratch, self.system.token(self.place))
        return took

    def stop(self) -> None:
        """As on SIGTERM. Its clients end first: some servers wait for as long as a connection is open."""
        self._close_agents()
        self.clients.kill()
        self.group.terminate(longest=15)

    def kill(self) -> None:
        """SIGKILL, and its port is used again at the next start."""
        self.group.kill()

    def settle(self) -> float:
        """Waits until the server does nothing any more; its CPU seconds up to then."""
        return self.group.settle(self.system.quiet)

    def close(self) -> None:
        self._close_agents()
        self.clients.kill()
        self.group.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def api(self) -> api.Connection:
        """To a running Martlet server."""
        return api.Connection(self.place.port, self.place.token, "/api/v1")

    def agent(self, module: str, argument: dict[str, Any], python: str = "", group: Optional[Group] = None) -> Agent:
        environment = self.system.environment(self.place)
        interpreter = python or self.system.python
        agent = Agent(group or self.clients, interpreter, module, argument, environment, self.place.scratch)
        self._agents.append(agent)
        return agent

    def worker(self, group: Optional[Group] = None) -> Agent:
        """Logs through the tracker's own client."""
        argument = {"system": self.system.name, "place": self.place.as_json()}
        return self.agent("tracking.worker", argument, group=group)

    def size(self) -> int:
        """Bytes of its points, as files that are."""
        return sum(_size(path) for path in self.system.files(self.place))

    def compact_size(self) -> int:
        """The size of a stopped store with every write-ahead log taken up."""
        for folder, _, files in os.walk(self.place.data):
            for name in files:
                if name.endswith(".db"):
                    with contextlib.closing(sqlite3.connect(os.path.join(folder, name))) as database:
                        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.size()

    def _close_agents(self) -> None:
        for agent in self._agents:
            agent.close()
        self._agents = []

    @property
    def _log(self) -> str:
        return os.path.join(self._root, "server.log")

    def _answers(self) -> bool:
        try:
            return self.system.is_ready(self.place)
        except (OSError, ValueError, http.client.HTTPException, api.Refused):
            return False  # not up yet

    def _last_words(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return " | ".join(file.read().strip().splitlines()[-4:])[-600:]


def _size(path: str) -> int:
    if os.path.isdir(path):
        return sum(_size(os.path.join(path, name)) for name in os.listdir(path))
    with contextlib.suppress(OSError):
        return os.lstat(path).st_size
    return 0
