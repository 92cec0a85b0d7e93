"""The program of every trial: `program.py PLACE SEED PARALLEL --index=N --gpus=N`. Does what its fate says.

Whatever it is given, its place among those that run, its trial and its devices, it locks, and whom it leaves behind
holds the locks as well: two that have the same at the same time cannot both say that they have it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trials import fates  # noqa: E402 (the path comes first)
from trials.fates import Fate  # noqa: E402

NEEDS = 4  # trials need 0 to 3 devices
HOG_BYTES = 320 << 20
HOG_PIECE = 4 << 20


class Attempt:
    def __init__(self, place: str, seed: int, parallel: int, trial: int) -> None:
        self.place = place
        self.trial = trial
        self.number = int(os.environ["MARTLET_ATTEMPT"])
        self.fate = Fate(seed, trial, self.number)
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        self.devices = [device for device in visible.split(",") if device]
        self.note("begin", ",".join(self.devices) or "-")
        self.hold(f"trial-{trial}")
        for device in self.devices:
            self.hold(f"device-{device}")
        if not any(self.locks(f"place-{number}") for number in range(parallel)):
            self.note("clash", "places")

    def note(self, word: str, more: str = "-") -> None:
        """One line, whole, also when the machine is busy: a single write at the end of the file."""
        line = f"{word} {self.trial} {self.number} {more}\n".encode()
        file = os.open(f"{self.place}/notes", os.O_WRONLY | os.O_APPEND)
        os.write(file, line)
        os.close(file)

    def hold(self, name: str) -> None:
        if not self.locks(name):
            self.note("clash", name)

    def locks(self, name: str) -> bool:
        """Whether nobody else had it. The lock lives as long as any process that has the descriptor."""
        file = os.open(f"{self.place}/held/{name}", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        os.set_inheritable(file, True)
        return True

    def go(self) -> None:
        if self.fate.is_stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        leave_behind(self.fate.company)
        time.sleep(self.fate.seconds)
        if self.fate.end == fates.WORKS:
            self.log(float(self.trial))
            self.note("end")
        elif self.fate.end == fates.FAILS:
            print("Traceback (most recent call last):\nValueError: as was meant", file=sys.stderr, flush=True)
            self.note("fail")
            leave(3)
        elif self.fate.end == fates.CRASHES:
            self.note("crash")
            os.kill(os.getpid(), signal.SIGKILL if self.trial % 2 else signal.SIGABRT)
        elif self.fate.end == fates.HANGS:
            print("waiting for data", flush=True)
            hang()
        else:
            grow()
            self.note("unstopped")
            leave(9)
        leave(0)

    def log(self, value: float) -> None:
        """One point into the attempt's spool (docs/spool.md)."""
        client = os.urandom(16).hex()
        path = os.path.join(os.environ["MARTLET_SPOOL_DIR"], client + ".spool")
        header = f'{{"format": 1, "client": "{client}", "names": {{"loss": 0}}}}'.encode()
        point = struct.pack("<Id", 0, value)
        with open(path, "ab", buffering=0) as spool:
            for kind, payload in ((1, header), (0, point)):
                body = struct.pack("<QqqB", 0, self.number, int(time.time() * 1e6), kind) + payload
                spool.write(struct.pack("<II", len(body), zlib.crc32(body)) + body)


def leave(code: int) -> None:
    """At once: what was noted stands."""
    sys.stdout.flush()
    os._exit(code)


def hang() -> None:
    while True:
        time.sleep(3600)


def grow() -> None:
    """Takes memory piece by piece and keeps it for a while."""
    kept = []
    for _ in range(HOG_BYTES // HOG_PIECE):
        kept.append(b"\1" * HOG_PIECE)
        time.sleep(0.002)
    time.sleep(2)


def leave_behind(company: str) -> None:
    if company == fates.ALONE or os.fork():
        return
    if company == fates.RUNNER:
        for _ in range(300):
            if os.fork():
                leave(0)
            time.sleep(0.03)
        leave(0)
    if company != fates.CHILD:
        os.setsid()
        if os.fork():
            leave(0)
    if company == fates.STRIPPED:
        os.chdir("/")
        os.execve("/bin/sleep", ["sleep", "3600"], {})
    hang()


def main(words: list[str]) -> None:
    place, seed, parallel = words[0], int(words[1]), int(words[2])
    given = dict(word.lstrip("-").split("=", 1) for word in words[3:])
    Attempt(place, seed, parallel, int(given["index"]) * NEEDS + int(given["gpus"])).go()


if __name__ == "__main__":
    main(sys.argv[1:])
