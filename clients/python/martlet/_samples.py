"""What the machine and the program's processes use, from /proc; elsewhere the disk alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from typing import Optional

from martlet import _gpu

SECTOR = 512  # bytes: what /proc/diskstats counts in, whatever the disk has
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")  # or their bytes are counted with another's

_NO_INTERFACES = ("veth", "docker", "br-", "virbr")  # likewise


class Samples:
    """One program's: rates are over the time since the look before."""

    def __init__(self, pid: int, workdir: str) -> None:
        self._pid = pid
        self._mount = _mount_of(workdir)
        self._at = 0.0
        self._machine: Optional[tuple[int, int]] = None  # ticks: busy, all
        self._ticks: dict[tuple[int, int], int] = {}  # of a process: its id and when it began
        self._counters: dict[str, int] = {}
        self._gpus = _gpu.is_there()
        self._asking: Optional[threading.Thread] = None
        self._per_second = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def take(self) -> dict[str, float]:
        """By the names of docs/api.md. The first look has no rates."""
        now = time.monotonic()
        passed = now - self._at if self._at else 0.0
        self._at = now
        found: dict[str, float] = {}
        for part in (self._cpu, self._memory, self._disks):
            with contextlib.suppress(OSError, ValueError, IndexError, KeyError):
                part(found)
        with contextlib.suppress(OSError, ValueError, IndexError):
            self._processes(found, passed)
        with contextlib.suppress(OSError, ValueError, IndexError):
            self._rates(found, passed)
        if self._gpus:
            found.update(self._asked_gpus())
        return found

    def _asked_gpus(self) -> dict[str, float]:
        """In a thread that may be given up: what waits for a GPU that fell off its bus cannot even be killed. It is
        not asked again before that ends."""
        if self._asking and self._asking.is_alive():
            return {}
        answer: dict[str, float] = {}
        self._asking = threading.Thread(target=lambda: answer.update(_gpu.samples()), daemon=True)
        self._asking.start()
        self._asking.join(_gpu.SECONDS + 1)
        return {} if self._asking.is_alive() else answer

    def _cpu(self, found: dict[str, float]) -> None:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(part) for part in file.readline().split()[1:9]]
        whole, busy = sum(ticks), sum(ticks) - ticks[3] - ticks[4]
        if self._machine and whole > self._machine[1]:
            found["cpu"] = 100 * max(0, busy - self._machine[0]) / (whole - self._machine[1])
        self._machine = (busy, whole)

    def _memory(self, found: dict[str, float]) -> None:
        with open("/proc/meminfo", encoding="ascii") as file:
            sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in file if line.rstrip().endswith("kB")}
        used = sizes["MemTotal"] - sizes["MemAvailable"]
        found["memory"] = 100 * used / sizes["MemTotal"]
        found["memory/used"] = used

    def _disks(self, found: dict[str, float]) -> None:
        usage = shutil.disk_usage(self._mount)
        if usage.used + usage.free:
            found[os.path.join("disk", self._mount.lstrip("/"), "used")] = 100 * usage.used / (usage.used + usage.free)

    def _processes(self, found: dict[str, float], passed: float) -> None:
        """The program and all that it started, also those whose parent has ended in between."""
        parents, stats = {}, {}
        for entry in os.listdir("/proc"):
            if entry.isdecimal():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    with open(f"/proc/{entry}/stat", "rb") as file:
                        fields = file.read().rpartition(b")")[2].split()
                    stats[int(entry)] = fields
                    parents[int(entry)] = int(fields[1])
        tree = _tree(self._pid, parents)
        known = {pid for pid, _ in self._ticks}
        tree |= {pid for pid in known & stats.keys() if (pid, int(stats[pid][19])) in self._ticks}
        tree.discard(os.getpid())  # seen as we began, while the shell that started us was the program's child
        ticks = {(pid, int(stats[pid][19])): int(stats[pid][11]) + int(stats[pid][12]) for pid in tree}
        if not ticks:
            return
        if passed and self._ticks:
            spent = sum(max(0, now - self._ticks.get(process, 0)) for process, now in ticks.items())
            found["process/cpu"] = 100 * spent / self._per_second / passed
        found["process/memory"] = sum(int(stats[pid][21]) for pid in tree) * self._page
        found["process/threads"] = sum(int(stats[pid][17]) for pid in tree)
        self._ticks = ticks

    def _rates(self, found: dict[str, float], passed: float) -> None:
        counters = {"disk/read": 0, "disk/write": 0, "network/sent": 0, "network/received": 0}
        with open("/proc/diskstats", encoding="ascii") as file:
            for line in file:
                fields = line.split()
                if os.path.isdir(f"/sys/block/{fields[2]}") and not fields[2].startswith(_NO_DISKS):
                    counters["disk/read"] += int(fields[5]) * SECTOR
                    counters["disk/write"] += int(fields[9]) * SECTOR
        with open("/proc/net/dev", encoding="ascii") as file:
            for line in file:
                name, colon, rest = line.partition(":")
                if colon and name.strip() != "lo" and not name.strip().startswith(_NO_INTERFACES):
                    fields = rest.split()
                    counters["network/received"] += int(fields[0])
                    counters["network/sent"] += int(fields[8])
        if passed and self._counters:
            found.update({name: max(0, now - self._counters[name]) / passed for name, now in counters.items()})
        self._counters = counters


def _tree(root: int, parents: dict[int, int]) -> set[int]:
    """`root` and what descends from it."""
    if root not in parents:
        return set()
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found, left = set(), [root]
    while left:
        pid = left.pop()
        if pid not in found:
            found.add(pid)
            left += children.get(pid, [])
    return found


def _mount_of(path: str) -> str:
    path = os.path.realpath(path)
    while path != "/" and not os.path.ismount(path):
        path = os.path.dirname(path)
    return path
