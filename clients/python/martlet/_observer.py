"""Looks after what a program wants kept besides its rows, from outside the program: what it runs in, what it uses, its
files. It runs in the sender, or where the run is kept offline in a process of its own (`_keeper`).

`<client>.wanted` is what the program says, `<client>.seen` what was found: JSON lines both. Whoever sends reads the
latter; so nothing is looked up twice, or later than it should be, whichever process is killed in between.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from martlet import _capture, _environment
from martlet._notes import note
from martlet._samples import Samples
from martlet._saving import Saved
from martlet._spool import try_lock
from martlet._tail import Tail
from martlet._typed import Blobs
from martlet._values import words
from martlet._wishes import EVERY, WORDS

LOOK = 0.25  # seconds between two looks at what the program wants
FIRST = 1.0  # seconds until the first: a rate needs a time to be over
FILES = 10.0  # seconds between two looks at files that are kept up to date
PATIENCE = 3.0  # seconds that a run's end waits for what it ran in
ROOM = 10.0  # seconds that it waits for a full disk


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
        self._unwritten: list[Mapping[str, Any]] = []  # lines that the disk did not take yet, in their order
        self._writing = threading.Lock()
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
            self._journal = self._opened()
            if self._journal and not self._journal.done:
                self._captured = self._journal.captured
                self._saved.known, self._saved.blobs = self._journal.files, self._journal.blobs
                self._watch()
                self._conclude()
        finally:
            if self._journal:
                self._journal.close()
            self._tail.close()
            self.ended.set()

    def _opened(self) -> Optional[Journal]:
        """None where another observer was at it, or the disk takes nothing until the end."""
        while True:
            try:
                return Journal(self._stem + ".seen", self._alone)
            except Taken:
                return None
            except OSError as error:
                if self._over():
                    note(self._tail.path, f"nothing was kept of what the run ran in, nor its files: {error}")
                    return None
            self._ending.wait(LOOK)

    def _over(self) -> bool:
        return self._ending.is_set() or not self._tail.client_lives()

    def _alone(self) -> bool:
        """Waits a moment for another observer of this client; whether to go on with that."""
        time.sleep(LOOK)
        return os.path.exists(self._stem + ".seen")

    def _watch(self) -> None:
        while True:
            ending = self._over()  # asked before the last look
            with contextlib.suppress(OSError):  # a disk that is gone for a moment: the next look sees the same
                self._look(ending)
            if ending:
                break
            self._ending.wait(LOOK)
        self._save(ending=True)
        if self._capturing:
            self._capturing.join(PATIENCE)

    def _look(self, ending: bool) -> None:
        self._write()
        while told := self._wanted.read():
            for wanted in told:
                self._take(wanted, live=not ending)
        now = time.monotonic()
        if ending:
            return
        if now >= self._sample_at:
            self._sample_at = max(self._sample_at + self._every, now)
            self._sample()
        if now >= self._files_at:
            self._files_at = now + FILES
            self._save(ending=False)

    def _conclude(self) -> None:
        """A disk that is still full may get room. Without the last line, a later observer looks once more."""
        until = time.monotonic() + ROOM
        while not self._write() and time.monotonic() < until:
            time.sleep(LOOK)
        if self._unwritten or not self._write({"done": True}):
            lost = ", ".join(line["file"]["path"] for line in self._unwritten if "file" in line)
            note(self._tail.path, f"the disk is full: {lost or 'what the run ran in'} could not be kept")

    def _write(self, *lines: Mapping[str, Any]) -> bool:
        """False while there are lines that the disk does not take: they are tried again at the next look."""
        with self._writing:
            self._unwritten.extend(lines)
            try:
                while self._unwritten and self._journal:
                    self._journal.write(self._unwritten[0])
                    del self._unwritten[0]
            except OSError:
                return False
            return True

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
                with contextlib.suppress(OSError):  # one less
                    self._journal.sample(at, values)

    def _capture(self, wanted: Mapping[str, Any]) -> None:
        """Each part is told as soon as it is known, and the last one that there are no more."""
        what = wanted.get("what", WORDS)
        told = wanted.get("environment")
        if "git" in what:
            with self._part("git"):
                git = _environment.git(str(wanted.get("workdir") or "/"))
                if git:
                    self._write({"patch": {"git": git}})
        if "environment" in what and isinstance(told, dict):
            machine: dict[str, Any] = {}
            with self._part("the machine"):
                machine = _capture.machine() if wanted.get("machine", True) else {}
            self._write({"patch": {"environment": {**machine, **told}}})
        for part in ("packages", "diff"):
            with self._part(part):
                for name, content in _capture.files({**wanted, "what": [part] if part in what else []}):
                    kept = Blobs(os.path.dirname(self._stem)).keep((content,), len(content))
                    self._write({"file": {"path": name, "sha256": kept["blob"], "size": kept["size"]}})
        self._write({"captured": True})

    @contextlib.contextmanager
    def _part(self, name: str) -> Iterator[None]:
        """What fails is said, and the other parts are looked up all the same."""
        try:
            yield
        except Exception as error:
            self._write({"error": f"capture: {name}: {words(error)}"})

    def _save(self, ending: bool) -> None:
        for found in self._saved.changed(os.path.dirname(self._stem), ending):
            self._write(found)


class WantedTail:
    """What the program says, as far as its lines are whole."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 0

    def read(self) -> list[dict[str, Any]]:
        lines, self._at = lines_of(self._path, self._at)
        return [line for line, _ in lines]


class Taken(Exception):
    """Another observer was at it, and is done with it."""


class Journal:
    """The writing end of `<client>.seen`: one process at a time, a whole line at a time, from any thread."""

    def __init__(self, path: str, wait: Any) -> None:
        self.captured = self.done = False
        self.files: dict[str, list[int]] = {}
        self.blobs: dict[str, str] = {}  # of those files
        self._turn = threading.Lock()
        self._seq = 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            while try_lock(self._fd, fcntl.LOCK_EX) is False:
                if not wait():
                    raise Taken
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
                    self.blobs[line["file"]["path"]] = line["file"]["sha256"]

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
            os.ftruncate(self._fd, before)  # or the next line would be joined to it
            raise OSError("the disk took only a part of a line")


def lines_of(path: str, at: int, most: int = 1 << 20) -> tuple[list[tuple[dict[str, Any], int]], int]:
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
