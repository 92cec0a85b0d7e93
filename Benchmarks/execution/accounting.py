"""CPU time of everything that a command starts, by a control group: also of what nobody waits for, which /proc forgets
when it ends (Ray's workers). Where no group can be made, `tracking.processes.Group` counts what it can see."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from tracking.processes import Group, settle

JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
_numbers = itertools.count(1)


class Account:
    """Of one tree of processes."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._path = _make()

    def command(self, words: Sequence[str]) -> list[str]:
        """The same command, counted here with all that it starts."""
        return ["/bin/sh", "-c", JOIN, self._path, *words] if self._path else list(words)

    def program(self, path: str, folder: str) -> str:
        """A program that is this one, counted here."""
        if not self._path:
            return path
        script = Path(folder, f"counted-{next(_numbers)}")
        script.write_text(f"#!/bin/sh\necho $$ > '{self._path}/cgroup.procs'\nexec '{path}' \"$@\"\n")
        script.chmod(0o755)
        return str(script)

    def cpu(self) -> float:
        """Seconds so far."""
        if not self._path:
            return self._group.cpu()
        usage = Path(self._path, "cpuacct.usage")
        if usage.exists():
            return int(usage.read_text()) / 1e9
        fields = dict(line.split() for line in Path(self._path, "cpu.stat").read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def settle(self, quiet: float, longest: float = 60.0) -> float:
        """Waits until the group has been quiet for so long; the CPU seconds up to then."""
        return settle(self.cpu, quiet, longest)

    def close(self) -> None:
        """When all of it has ended."""
        deadline = time.monotonic() + 5
        while self._path and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.rmdir(self._path)
                self._path = ""
            time.sleep(0.02)


def _make() -> str:
    """A new group; empty: none can be made."""
    place = _hierarchy()
    if place is None:
        return ""
    path = place / f"bench-execution-{os.getpid()}-{next(_numbers)}"
    try:
        path.mkdir()
        (path / "cgroup.procs").read_text()
    except OSError:
        return ""
    return str(path)


def _hierarchy() -> Optional[Path]:
    """Where this process's own group is in the hierarchy that counts CPU time: version 1's, else version 2's."""
    found: dict[str, Path] = {}
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return None
    for _, point, kind, options, *_ in mounts:
        for _, controllers, group in groups:
            is_first = kind == "cgroup" and "cpuacct" in controllers.split(",") and "cpuacct" in options.split(",")
            if is_first or (kind == "cgroup2" and not controllers):
                place = Path(point + group.rstrip("\n"))
                found.setdefault(kind, place if place.is_dir() else Path(point))
    return found.get("cgroup") or found.get("cgroup2")
