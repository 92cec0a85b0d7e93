"""What the benchmark asks of a tracker. Both sides of it: the orchestrator starts and accounts for its server; a
worker, in the tracker's own environment, logs through its own client."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from harness.settings import ROOT


@dataclass(frozen=True)
class Place:
    """Where a tracker works: its store's directory, its server's port, and the clients' own scratch directory."""

    data: str
    port: int
    scratch: str
    token: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Client(ABC):
    """In a worker. One run at a time."""

    @abstractmethod
    def begin(self, run: str) -> None: ...

    @abstractmethod
    def log(self, step: int, row: Mapping[str, float]) -> None: ...

    @abstractmethod
    def finish(self) -> None:
        """Returns when the store has everything that was logged."""

    @abstractmethod
    def stored(self, run: str) -> int:
        """How many points of this run can be read back."""

    def seed(self, name: str, runs: int, steps: int, kind: str) -> list[str]:
        """Fills the store with series by the quickest way it has; what its calls know the runs by."""
        raise NotImplementedError(f"{type(self).__name__} seeds nothing for {name} ({runs} × {steps} {kind})")


class System(ABC):
    name: str
    environment_name: Optional[str] = None  # of .venv-bench-<name>; None: this Python
    has_server = True
    quiet = 1.0  # seconds without work after which its server has put nothing off
    most_steps = 1_000_000  # of a client in one cell: what is sent slowly is not logged without end

    def missing(self) -> Optional[str]:
        """Why it cannot be measured here."""
        if self.environment_name and not os.access(self.python, os.X_OK):
            return f"there is no {self.home.name}; PEERS={self.environment_name} scripts/setup bench-tracking makes it"
        return None

    @property
    def home(self) -> Path:
        return ROOT / f".venv-bench-{self.environment_name}"

    @property
    def python(self) -> str:
        return str(self.home / "bin" / "python") if self.environment_name else sys.executable

    def program(self, name: str) -> list[str]:
        """A command of its environment, wherever that was moved to."""
        return [self.python, str(self.home / "bin" / name)]

    def environment(self, place: Place) -> dict[str, str]:
        """Of its server and its clients. Bytecode is used, as on anybody's machine."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("MARTLET_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        kept["HOME"] = place.scratch
        kept["PYTHONPATH"] = str(ROOT / "Benchmarks")
        if self.environment_name:
            kept["PATH"] = f"{self.home / 'bin'}:{kept.get('PATH', '')}"
        return kept

    def command(self, place: Place) -> list[str]:
        """Of its server, to which clients send."""
        raise NotImplementedError(f"{self.name} has no server")

    def is_ready(self, place: Place) -> bool:
        """True with the first useful answer. May raise OSError until then."""
        raise NotImplementedError(f"{self.name} has no server")

    def token(self, place: Place) -> str:
        """What the running server asks for."""
        return ""

    def files(self, place: Place) -> list[str]:
        """What its points lie in."""
        return [place.data]

    @abstractmethod
    def client(self, place: Place) -> Client: ...
