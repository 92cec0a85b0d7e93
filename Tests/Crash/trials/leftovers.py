"""What a sweep left on the machine: processes, devices, zombies, cgroups, temporary files, open descriptors, locks."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tracking import guard
from tracking.server import Server

PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
TEMPORARY = (".tmp", ".new", ".partial", ".writing")


class Left(NamedTuple):
    """Names of what is left, by kind."""

    processes: list[str]
    devices: list[str]
    zombies: list[str]
    cgroups: list[str]
    files: list[str]
    descriptors: list[str]
    locks: list[str]

    @property
    def total(self) -> int:
        return sum(len(names) for names in self)

    def __str__(self) -> str:
        return ", ".join(f"{kind} {len(names)}" for kind, names in self._asdict().items())

    @property
    def names(self) -> list[str]:
        return [f"left over of {kind}: {', '.join(names[:8])}" for kind, names in self._asdict().items() if names]


NOTHING = Left([], [], [], [], [], [], [])


class Process(NamedTuple):
    pid: int
    parent: int
    is_zombie: bool

    @property
    def words(self) -> str:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            return f"{self.pid} ({command.strip()[-120:]})"
        return str(self.pid)


def adopt_orphans() -> None:
    """Supervisors whose server was killed become children of this process, so that none of them is a zombie that
    somebody else ought to have buried."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury(known: set[int]) -> Iterator[tuple[int, int]]:
    """Waits for orphans that have ended; process and status. `known` are children that somebody else waits for."""
    for process in processes():
        if process.is_zombie and process.parent == os.getpid() and process.pid not in known:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid:
                    yield pid, status


def processes() -> list[Process]:
    found = []
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")[2].split()
            found.append(Process(int(entry), int(fields[1]), fields[0] == "Z"))
    return found


def group_folders(data: str) -> list[str]:
    """The directories of control groups that a server on this data directory makes, one for each hierarchy."""
    name = f"martlet-{hashlib.sha256(data.encode()).hexdigest()[:10]}"
    return [os.path.join(at, name) for at, names, _ in os.walk("/sys/fs/cgroup") if name in names]


def groups(data: str) -> list[str]:
    """Control groups of attempts."""
    found = []
    for folder in group_folders(data):
        with contextlib.suppress(OSError):
            found += [os.path.join(folder, name) for name in os.listdir(folder)]
    return sorted(path for path in found if os.path.isdir(path))


def left(root: str, server: Server) -> Left:
    """What there is at this moment of a place whose sweep has ended and whose server is up."""
    marked = set(guard.marked(root)) - {server.pid}
    everybody = processes()
    status: dict[str, Any] = server.get("/status")
    return Left(
        processes=[
            process.words
            for process in everybody
            if process.pid != server.pid and (process.pid in marked or works_below(process.pid, root))
        ],
        devices=[f"{device['index']} ({device['holder']})" for device in status["devices"] if device.get("holder")]
        + [f"{status[word]} {word}" for word in ("running", "queued") if status[word]],
        zombies=[
            str(process.pid) for process in everybody if process.is_zombie and process.parent in {server.pid, *marked}
        ],
        cgroups=groups(server.data),
        files=sorted(temporary_files(root, server.data)),
        descriptors=sorted(attempts_files(server)),
        locks=sorted(held(os.path.join(root, "place", "held"))),
    )


def works_below(pid: int, root: str) -> bool:
    try:
        directory = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return directory.startswith(root + "/")


def temporary_files(root: str, data: str) -> Iterator[str]:
    scratch = os.path.join(root, "tmp")
    yield from (os.path.join(scratch, name) for name in os.listdir(scratch))
    for at, _, names in os.walk(data):
        yield from (os.path.join(at, name) for name in names if name.endswith(TEMPORARY))


def attempts_files(server: Server) -> Iterator[str]:
    """Files of attempts that the server still has open."""
    below = os.path.join(server.data, "runs") + "/"
    for name in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{server.pid}/fd/{name}")
            if target.startswith(below):
                yield target


def held(folder: str) -> Iterator[str]:
    """Locks that somebody still has, whoever that is."""
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield name
