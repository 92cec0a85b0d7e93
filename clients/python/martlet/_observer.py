"""Looks after what a program wants kept besides its rows, from outside the program: what it runs in, what it uses, its
files. It runs in the sender, or where the run is kept offline in a process of its own (`_keeper`).

`<client>.wanted` is what the program says, `<client>.seen` what was found: JSON lines both. Whoever sends reads the
latter; so nothing is looked up twice, or later than it should be, whichever process is killed in between.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, Optional

from martlet import _capture, _environment
from martlet._samples import Samples
from martlet._saving import Saved
from martlet._spool import try_lock
from martlet._tail import Tail
from martlet._typed import Blobs
from martlet._wishes import EVERY, WORDS

LOOK = 0.25  # seconds between two looks at what the program wants
FIRST = 1.0  # seconds until the first: a rate needs a time to be over
FILES = 10.0  # seconds between two looks at files that are kept up to date
PATIENCE = 3.0  # seconds that a run's end waits for what it ran in


class Observer:
    """Of one client. `run` ends when the client has, or was told to: then it has written `{"done": true}`."""

    def __init__(self, path: str) -> None:
        self._stem = path.removesuffix(".spool")
        self._tail = Tail(path)  # for whether it lives; it is read by others
        self._wanted = WantedTail(self._stem + ".wanted")
        self._journal: Optional[Journal] = None
        self._saved = Saved()
        self._samples: Optional[Samples] = None
        self._sample_at = math.inf
        self._every = EVERY
        self._files_at = 0.0
        self._capturing: Optional[threading.Thread] = None
        self._captured = False
        self._ending = threading.Event()
        self.ended = threading.Event()

    def start(self) -> None:
        """In a thread of its own, which ends no later than its process."""
        threading.Thread(target=self.run, daemon=True).start()

    def finish(self) -> None:
        """The program has told its end: what is still to be seen is seen now."""
        self._ending.set()

    def run(self) -> None:
        """Until the client's end."""
        try:
            self._journal = Journal(self._stem + ".seen", self._alone)
            if not self._journal.done:
                self._captured = self._journal.captured
                self._saved.known = self._journal.files
                self._watch()
                self._journal.write({"done": True})
        except OSError:  # a disk that takes nothing, or is gone: the rows go on
            pass
        finally:
            if self._journal:
                self._journal.close()
            self._tail.close()
            self.ended.set()

    def _alone(self) -> bool:
        """Waits a moment for another observer of this client; whether to go on with that."""
        time.sleep(LOOK)
        return os.path.exists(self._stem + ".seen")

    def _watch(self) -> None:
        while True:
            ending = self._ending.is_set() or not self._tail.client_lives()  # asked before the last look
            for wanted in self._wanted.read():
                self._take(wanted, live=not ending)
            now = time.monotonic()
            if ending:
                break
            if now >= self._sample_at:
                self._sample()
                self._sample_at = max(self._sample_at + self._every, now)
            if now >= self._files_at:
                self._files_at = now + FILES
                self._save(ending=False)
            self._ending.wait(LOOK)
        self._save(ending=True)
        if self._capturing:
            self._capturing.join(PATIENCE)

    def _take(self, wanted: Mapping[str, Any], live: bool) -> None:
        save = wanted.get("save")
        if isinstance(save, dict):
            self._saved.add(save)
            self._files_at = 0.0
        capture = wanted.get("capture")
        if not isinstance(capture, dict):
            return
        if not self._captured and not self._capturing:
            self._capturing = threading.Thread(target=self._capture, args=(capture,), daemon=True)
            self._capturing.start()
        every = capture.get("every")
        if live and isinstance(every, (int, float)) and every > 0:
            self._samples = Samples(self._tail.first["pid"], str(capture.get("workdir") or "/"))
            self._every = every
            self._samples.take()
            self._sample_at = time.monotonic() + min(FIRST, every)

    def _sample(self) -> None:
        if self._samples and self._journal:
            at = time.time_ns() // 1000
            values = {name: round(value, 3) for name, value in self._samples.take().items()}
            if values:
                self._journal.sample(at, values)

    def _capture(self, wanted: Mapping[str, Any]) -> None:
        """Each part is told as soon as it is known, and the last one that there are no more."""
        journal = self._journal
        assert journal is not None
        what = wanted.get("what", WORDS)
        try:
            told = wanted.get("environment")
            if "git" in what:
                git = _environment.git(str(wanted.get("workdir") or "/"))
                if git:
                    journal.write({"patch": {"git": git}})
            if "environment" in what and isinstance(told, dict):
                journal.write(
                    {"patch": {"environment": {**(_capture.machine() if wanted.get("machine", True) else {}), **told}}}
                )
            for name, content in _capture.files(wanted):
                blobs = Blobs(os.path.dirname(self._stem))
                kept = blobs.keep((content,), len(content))
                journal.write({"file": {"path": name, "sha256": kept["blob"], "size": kept["size"]}})
            journal.write({"captured": True})
        except (OSError, ValueError):  # no room for it
            return

    def _save(self, ending: bool) -> None:
        for found in self._saved.changed(os.path.dirname(self._stem), ending):
            if self._journal:
                self._journal.write(found)


class WantedTail:
    """What the program says, as far as its lines are whole."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 0

    def read(self) -> list[dict[str, Any]]:
        lines, self._at = lines_of(self._path, self._at)
        return [line for line, _ in lines]


class Journal:
    """The writing end of `<client>.seen`: one process at a time, a whole line at a time, from any thread."""

    def __init__(self, path: str, wait: Any) -> None:
        self.captured = self.done = False
        self.files: dict[str, list[int]] = {}
        self._turn = threading.Lock()
        self._seq = 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            while try_lock(self._fd, fcntl.LOCK_EX) is False:
                if not wait():
                    raise OSError("another observer is at it")
            end = self._learn(path)
            if os.fstat(self._fd).st_size > end:  # the end of a line that a cut left behind
                os.ftruncate(self._fd, end)
        except BaseException:
            os.close(self._fd)
            raise

    def _learn(self, path: str) -> int:
        """What an earlier observer wrote; returns where its whole lines end."""
        end = 0
        while True:
            lines, at = lines_of(path, end, 1 << 20)
            if at == end:
                return end
            end = at
            for line, _ in lines:
                self.captured = self.captured or "captured" in line
                self.done = self.done or "done" in line
                if "sample" in line:
                    self._seq = line["sample"]["seq"] + 1
                if "file" in line and "state" in line:
                    self.files[line["file"]["path"]] = line["state"]

    def write(self, line: Mapping[str, Any]) -> None:
        """Raises OSError when the disk does not take it; a later look begins behind the last whole line."""
        with self._turn:
            self._append(line)

    def sample(self, time: int, values: Mapping[str, float]) -> None:
        with self._turn:
            self._append({"sample": {"seq": self._seq, "time": time, "step": time // 1000, "values": values}})
            self._seq += 1

    def close(self) -> None:
        with self._turn:
            fd, self._fd = self._fd, -1
        os.close(fd)

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._fd < 0:  # what the program ran in took too long to find out
            raise OSError("the journal is closed")
        data = json.dumps(line).encode() + b"\n"
        before = os.fstat(self._fd).st_size
        if os.write(self._fd, data) != len(data):
            os.ftruncate(self._fd, before)
            raise OSError("the disk took only a part of a line")


def lines_of(path: str, at: int, most: int = 1 << 30) -> tuple[list[tuple[dict[str, Any], int]], int]:
    """The whole lines from `at` on, each with the offset behind it, and where they end."""
    try:
        with open(path, "rb") as file:
            file.seek(at)
            chunk = file.read(most)
            while b"\n" not in chunk and (more := file.read(most)):  # one line, longer than that
                chunk += more
    except FileNotFoundError:
        return [], at
    found = []
    for line in chunk.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        at += len(line)
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if isinstance(content, dict):
            found.append((content, at))
    return found, at
