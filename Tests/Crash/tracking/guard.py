"""Waits until whoever started it ends or closes the pipe, then leaves nothing behind: `guard.py DIRECTORY`.

Every process whose environment has MARTLET_CRASH_ROOT=DIRECTORY is killed, what is mounted there is taken off, and the
directory is removed, unless the pipe said `keep`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

MARK = "MARTLET_CRASH_ROOT"


def marked(directory: str) -> list[int]:
    """The processes that belong to a directory; not those that are dead and only waited for."""
    mark = f"{MARK}={directory}".encode()
    found = []
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{entry}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(int(entry))
    return found


def main(directory: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    said = sys.stdin.read()
    end = time.monotonic() + 30
    while (left := marked(directory)) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        mounted = [line.split()[1] for line in mounts if line.split()[1].startswith(directory + "/")]
    for point in mounted:
        subprocess.run(["umount", "--lazy", point], check=False)
    if "keep" not in said:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
