"""Trees of processes: started, accounted for by /proc, and killed, each without touching anybody else's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO, Callable, NamedTuple, Optional, Union

TICKS = os.sysconf("SC_CLK_TCK")
MARK = "MARTLET_BENCH_GROUP"
PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


def adopt_orphans() -> None:
    """Processes whose parent has ended become children of this one, so that what they used is still seen."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Memory(NamedTuple):
    """Of a whole tree, in bytes."""

    resident: int  # shared pages once for each process
    proportional: int  # shared pages shared out


class _Look(NamedTuple):
    parent: int
    is_zombie: bool
    own: float  # CPU seconds, in steps of 10 ms
    children: float  # those of children that it has waited for


class Group:
    """One tree of processes. Its members carry a mark in their environment, wherever they are adopted.

    CPU: what the living used, theirs being what children used that they have waited for; plus the last figures of
    members that this process itself buried: the tree's root, and orphans.
    """

    def __init__(self, name: str) -> None:
        self.name = f"{name}-{os.getpid()}-{time.monotonic_ns()}"
        self._mark = f"{MARK}={self.name}".encode()
        self._roots: dict[int, subprocess.Popen[bytes]] = {}
        self._members: set[int] = set()
        self._buried = 0.0

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: str,
        log: IO[bytes],
        stdin: Union[int, IO[bytes]] = subprocess.DEVNULL,
        keep: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            env={**environment, MARK: self.name},
            cwd=directory,
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=keep,
            start_new_session=True,
        )
        self._roots[process.pid] = process
        self._members.add(process.pid)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> Optional[int]:
        """The exit code of a process that `start` gave, once it has ended."""
        self._living()
        return process.returncode

    def cpu(self) -> float:
        """CPU seconds that the tree has used so far."""
        living = self._living()
        return self._buried + sum(process_cpu(pid, look.own) + look.children for pid, look in living.items())

    def memory(self) -> Memory:
        resident = proportional = 0
        for pid in self._living():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                fields = {line.split(":")[0]: line.split()[1] for line in file.read().splitlines()[1:]}
                resident += int(fields["Rss"]) * 1024
                proportional += int(fields["Pss"]) * 1024
        return Memory(resident, proportional)

    def count(self) -> int:
        return len(self._living())

    def settle(self, quiet: float, longest: float = 60.0) -> float:
        """Waits until the tree has been quiet for so long; the CPU seconds up to then."""
        return settle(self.cpu, quiet, longest)

    def terminate(self, longest: float = 60.0) -> None:
        """SIGTERM to the roots, and SIGKILL for who does not follow."""
        for process in self._roots.values():
            if process.returncode is None:
                process.terminate()
        deadline = time.monotonic() + longest
        while self._unfinished() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to every member."""
        deadline = time.monotonic() + 10
        while (living := self._living()) and time.monotonic() < deadline:
            for pid, look in living.items():
                if not look.is_zombie:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def _unfinished(self) -> bool:
        self._living()
        return any(process.returncode is None for process in self._roots.values())

    def _living(self) -> dict[int, _Look]:
        living: dict[int, _Look] = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            pid = int(entry)
            look = _look(pid)
            if look is None or not self._is_ours(pid, look, living):
                continue
            if look.is_zombie and look.parent == os.getpid() and self._is_reaped(pid):
                self._buried += look.own + look.children
            else:
                living[pid] = look
        self._members = set(living)
        return living

    def _is_ours(self, pid: int, look: _Look, living: Mapping[int, _Look]) -> bool:
        if pid in self._members or look.parent in living:
            return True
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return self._mark in file.read().split(b"\0")
        except OSError:
            return False

    def _is_reaped(self, pid: int) -> bool:
        """False as long as other threads of the process are still on their way out."""
        root = self._roots.get(pid)
        if root:
            return root.poll() is not None
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True


def _look(pid: int) -> Optional[_Look]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()  # proc_pid_stat(5), from field 3 on
    except OSError:
        return None
    own, children = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return _Look(int(fields[1]), fields[0] == "Z", own / TICKS, children / TICKS)


def process_cpu(pid: int, otherwise: float = 0.0) -> float:
    """CPU seconds of one living process, all its threads, to the nanosecond: the clock that clock_getcpuclockid(3)
    gives, since /proc counts in steps of 10 ms. `otherwise` where it has just ended."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return otherwise


def settle(cpu: Callable[[], float], quiet: float, longest: float = 60.0) -> float:
    """Waits until whoever `cpu` counts has been quiet for so long, that is, used less than 4 % of a core in each half
    second; the CPU seconds up to then."""
    now = since = time.monotonic()
    deadline, before = now + longest, cpu()
    while since + quiet > now and now < deadline:
        time.sleep(0.5)
        now, after = time.monotonic(), cpu()
        if after - before > 0.02:
            since = now
        before = after
    return before
