"""The reading end of a spool, as its sender sees it: pieces of rows, what else the client told, and what is done."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional
from zlib import crc32

from martlet._console_tail import ConsoleTail
from martlet._piece import Names
from martlet._spool import BODY, END, HEAD, INFO, LONGEST, POINTS, ROW, records, try_lock

PIECE = 1 << 20  # bytes that one look reads; a longer record comes alone
HEADS = struct.Struct("<IIQ16xB")  # length, crc, seq, kind


class NotASpool(ValueError):
    """A file that does not begin as a spool does."""


@dataclass
class Batch:
    """What one look at the spool gave."""

    body: bytes = b""  # for POST /runs/:run/log: docs/spool.md, "Sending"
    rows: int = 0
    first_seq: int = 0
    last_seq: int = -1
    patch: dict[str, Any] = field(default_factory=dict)  # for PATCH /runs/:run
    blobs: dict[str, int] = field(default_factory=dict)  # what the rows name: SHA-256 and size
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  # of the run, by their names: sha256 and size
    alerts: list[dict[str, Any]] = field(default_factory=list)  # for POST /runs/:run/alerts
    complete: bool = True  # nothing more was to be read


class Tail:
    """One spool file from the first record on. `path` ends in `.spool`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stem = path.removesuffix(".spool")
        self.first = self._first_record()
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.run: Optional[str] = self.first.get("run")
        self.url: Optional[str] = self.first.get("url")
        self.client: str = self.first["client"]
        self.outside: bool = self.first.get("outside", True)
        self.finishes: bool = self.first.get("finish", False)
        self.ended = False
        self.end: dict[str, Any] = {}
        self._at = 0
        self._names = Names()
        self._gone = False
        self._ack = self._stem + ".ack"
        self._run_note = os.path.join(self.directory, str(self.first.get("local")) + ".run")
        noted = self._read_json(self._ack)
        self._next_seq: int = noted.get("next_seq", 0)
        self._told: int = noted.get("offset", 0)  # what the records before it told needs no second telling
        # How far a sender is with what lies beside the spool (see _aside).
        self.beside: dict[str, Any] = {key: noted[key] for key in ("seen", "console") if key in noted}
        self._noted = self._note

    def close(self) -> None:
        os.close(self._fd)

    @property
    def directory(self) -> str:
        return os.path.dirname(self.path)

    @property
    def position(self) -> int:
        """How many bytes of the file are read."""
        return self._at

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    @property
    def next_seq(self) -> int:
        """The server has all rows below it."""
        return self._next_seq

    def read(self) -> Batch:
        """The next rows: a piece of the file, whose records are checked and copied as they are."""
        batch = Batch()
        chunk = os.pread(self._fd, PIECE, self._at)
        view = memoryview(chunk)
        size = len(chunk)
        batch.complete = size < PIECE
        at, begin, end = 0, -1, 0  # in the chunk: the next record, the first row's, the end of the last row's
        heads, wanted, crc_of = HEADS.unpack_from, self._next_seq, crc32
        lead = b""
        while size - at >= BODY.size + HEAD.size:
            length, crc, seq, kind = heads(chunk, at)
            stop = at + HEAD.size + length
            if stop > size:
                if at == 0 and BODY.size <= length <= LONGEST and self.size - self._at >= stop:
                    chunk = os.pread(self._fd, stop, self._at)  # one record, longer than a piece
                    view, size = memoryview(chunk), len(chunk)
                    batch.complete = False
                    continue
                break
            if length < BODY.size or crc_of(view[at + HEAD.size : stop]) != crc:
                batch.complete = True  # damage, or a record that is just being written
                break
            if kind == POINTS or kind == ROW:  # noqa: PLR1714, SIM109 (the hot loop)
                if seq >= wanted:
                    if begin < 0:
                        begin, batch.first_seq = at, seq
                        lead = self._names.lead(seq)
                    end, batch.last_seq = stop, seq
                    batch.rows += 1
            elif kind == INFO:
                self._info(json.loads(chunk[at + HEAD.size + BODY.size : stop]), batch, seq, self._at + stop)
            elif kind == END:
                payload = chunk[at + HEAD.size + BODY.size : stop]
                self.ended, self.end = True, json.loads(payload) if payload else {}
                batch.complete = True
                at = stop
                break
            at = stop
        if at == 0:
            batch.complete = True  # nothing whole
        self._at += at
        if batch.rows:
            rows = chunk[begin:end]
            batch.body = self._names.fitting(lead, rows, batch.first_seq) + rows
        return batch

    def delivered(self, batch: Batch) -> None:
        self._next_seq = batch.last_seq + 1

    def rewind(self, seq: int) -> None:
        """The server has less than we thought: from row `seq` on, again."""
        self._next_seq, self._at, self.ended = seq, 0, False
        self._names = Names()

    def acknowledge(self) -> None:
        """Notes for a later sender what is done. Without the note (a full disk, say) that sender sends too much, of
        which the server keeps nothing twice."""
        self._told = max(self._told, self._at)
        if self._note != self._noted:
            with contextlib.suppress(OSError):
                self._write_json(self._ack, ".ack.new", self._note)
                self._noted = self._note

    @property
    def _note(self) -> dict[str, Any]:
        return {"next_seq": self._next_seq, "offset": self._told, **self.beside}

    def grown(self) -> bool:
        return self._left_over() > 0

    def client_lives(self) -> bool:
        if not self._gone:
            locked = try_lock(self._fd, fcntl.LOCK_SH) if self.first.get("lock") else None
            self._gone = not self._process_lives() if locked is None else locked
        return not self._gone

    def ask_to_stop(self) -> None:
        """SIGUSR1 for a program that handles it (`run.on_stop`), else what Ctrl-C would do, or SIGTERM where that is
        ignored. The lock that the client still holds proves that the process id is its own."""
        if not self.client_lives():
            return
        pid = self.first["pid"]
        if os.path.exists(os.path.join(self.directory, "stop_signal")):
            number = signal.SIGUSR1
        else:
            number = signal.SIGTERM if _ignores_interrupts(pid) else signal.SIGINT
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def succeeded(self) -> bool:
        """True when a later start of the same run is going on here: it is not this client's to end any more."""
        with contextlib.suppress(OSError):
            for name in os.listdir(self.directory):
                path = os.path.join(self.directory, name)
                if name.endswith(".spool") and path != self.path and _goes_on(path, self.run):
                    return True
        return False

    def created_run(self) -> Optional[str]:
        """The run that an earlier sender created for this offline spool."""
        return self._read_json(self._run_note).get("run")

    def note_created_run(self, run: str, url: str) -> None:
        self._write_json(self._run_note, ".run.new", {"run": run, "url": url})

    def remove(self) -> None:
        """Everything is delivered: only what could not be read, or was refused, is kept."""
        if self._left_over() > 0:
            return
        _remove_files(self._stem)
        _remove_blobs(self.directory)
        left = {name for name in os.listdir(self.directory) if not name.endswith(".run")}
        if self.outside and left <= {"stop_signal"}:  # no other client's spool, and no .error
            _unlink(self._run_note)
            _unlink(os.path.join(self.directory, "stop_signal"))
            with contextlib.suppress(OSError):  # somebody put something here just now: then it stays
                os.rmdir(self.directory)

    def _left_over(self) -> int:
        return self.size - self._at

    def _first_record(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError):  # no JSON
            first = next((record for record in records(self.path, 0)), None)
            known = json.loads(first.payload) if first and first.kind == INFO else None
            if isinstance(known, dict) and known.get("format") == 1 and isinstance(known.get("client"), str):
                return known
        raise NotASpool(f"{self.path} does not begin as a spool of format 1 does")

    def _info(self, info: Mapping[str, Any], batch: Batch, seq: int, end: int) -> None:
        if "names" in info:
            self._names.learn(info["names"])
        if "blobs" in info and seq >= self._next_seq:
            batch.blobs.update(info["blobs"])
        if end > self._told:
            for key, value in {**info.get("patch", {}), **{k: info[k] for k in ("config",) if k in info}}.items():
                # Of these the parts are told one after the other.
                both = key in ("config", "summary", "metrics") and isinstance(value, dict)
                batch.patch[key] = {**batch.patch.get(key, {}), **value} if both else value
            batch.files.update(info.get("files", {}))
            if "alert" in info:
                batch.alerts.append(info["alert"])

    def _process_lives(self) -> bool:
        try:
            os.kill(self.first["pid"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def _read_json(self, path: str) -> dict[str, Any]:
        try:
            with open(path, encoding="utf-8") as file:
                noted = json.load(file)
        except (OSError, ValueError):  # none, or torn by a power cut: then everything is sent again, and kept once
            return {}
        return noted if isinstance(noted, dict) else {}

    def _write_json(self, path: str, suffix: str, content: Mapping[str, Any]) -> None:
        temporary = self._stem + suffix
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(temporary, path)


def remove_empty(path: str) -> Optional[bool]:
    """Removes a spool whose client was killed before its first record was whole, and what lies beside it.

    None: there is something in it. False: its client lives, and it stays. Raises NotASpool where no lock tells that.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not _holds_nothing(fd, path):
            return None
        locked = try_lock(fd, fcntl.LOCK_SH)
        if locked is None:
            raise NotASpool(f"{path} is empty, and no lock tells there whether its program lives")
        if not locked:
            return False
        if not _holds_nothing(fd, path):  # it was written while we came to the lock
            return None
        directory = os.path.dirname(path)
        _remove_files(path.removesuffix(".spool"))
        _remove_blobs(directory)
        left = os.listdir(directory)
        if all(name.endswith(".run") for name in left):  # notes of runs whose spools are all sent
            for name in left:
                _unlink(os.path.join(directory, name))
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        return True
    finally:
        os.close(fd)


def _holds_nothing(fd: int, path: str) -> bool:
    """The file ends within its first record."""
    if not re.fullmatch("[0-9a-f]{32}.spool", os.path.basename(path)):
        return False
    head, size = os.pread(fd, HEAD.size, 0), os.fstat(fd).st_size
    if len(head) < HEAD.size:
        return True
    length, _ = HEAD.unpack(head)
    return bool(BODY.size <= length <= LONGEST and size < HEAD.size + length)


def _remove_files(stem: str) -> None:
    """The spool before its sender's lock: whoever gets the lock then sees that nothing is left to do."""
    # Where a sender was killed as it wrote a note, half of that lies there as `.new`.
    ConsoleTail(stem).remove()
    for suffix in (".ack", ".ack.new", ".run.new", ".room", ".wanted", ".seen", ".spool", ".sender"):
        _unlink(stem + suffix)


def _remove_blobs(directory: str) -> None:
    """Blobs that no row named, since their client was killed before it wrote the row. They are listed before the
    spools are: one that is listed and still needed was written by a client whose spool is seen then. Where something
    was refused, it may be they, and they stay."""
    folder = os.path.join(directory, "blobs")
    with contextlib.suppress(OSError):
        orphans = os.listdir(folder)
        if not any(name.endswith((".spool", ".error")) for name in os.listdir(directory)):
            for name in orphans:
                _unlink(os.path.join(folder, name))
            os.rmdir(folder)


def _goes_on(path: str, run: Optional[str]) -> bool:
    try:
        other = Tail(path)
    except (OSError, NotASpool):
        return False
    try:
        return run is not None and other.run == run and other.finishes and other.client_lives()
    finally:
        other.close()


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _ignores_interrupts(pid: int) -> bool:
    """True of what a script started in the background. Where there is no /proc, Ctrl-C is taken to work."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("SigIgn:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1)
    return False
