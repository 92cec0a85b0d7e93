"""What the benchmark asks of a program or library that runs many commands. Its launcher works in an agent, in the
environment of that library."""

from __future__ import annotations

import os
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Optional

from harness.settings import ROOT

COMMAND = "/bin/true"


class Launcher(ABC):
    """In an agent: made once, with whatever it has to start; then asked to run trials."""

    def __init__(self, parallel: int, scratch: str) -> None:
        self.parallel = parallel
        self.scratch = scratch

    @abstractmethod
    def run(self, trials: int) -> int:
        """Runs so many trials of COMMAND, `parallel` at a time; how many worked."""

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Ends what was started."""


class System(ABC):
    name: str
    environment_name: Optional[str] = None  # of .venv-bench-<name>; None: this Python
    program: Optional[str] = None  # that must be in PATH
    most_trials = 1_000_000  # of one cell: what takes a second each is not asked for hundreds

    @abstractmethod
    def launcher(self, parallel: int, scratch: str) -> Launcher: ...

    def missing(self) -> Optional[str]:
        """Why it cannot be measured here."""
        if self.program and not shutil.which(self.program):
            return f"there is no program {self.program}; scripts/setup bench-execution installs it"
        if self.environment_name and not os.access(self.python, os.X_OK):
            return f"there is no {self.home.name}; PEERS={self.name} scripts/setup bench-execution makes it"
        return None

    @property
    def home(self) -> Path:
        return ROOT / f".venv-bench-{self.environment_name}"

    @property
    def python(self) -> str:
        return str(self.home / "bin" / "python") if self.environment_name else sys.executable

    def environment(self, scratch: str) -> dict[str, str]:
        """Of its agent. Bytecode is used, as on anybody's machine."""
        kept = {
            key: value
            for key, value in os.environ.items()
            # PARALLEL: options that GNU parallel would take besides those that it is given.
            if not key.startswith("MARTLET_") and key not in ("PYTHONDONTWRITEBYTECODE", "PARALLEL")
        }
        return {**kept, "HOME": scratch, "TMPDIR": scratch, "PYTHONPATH": str(ROOT / "Benchmarks")}
