"""The reading end of a spool, as its sender sees it: batches of rows, what else the client told, and what is done."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from martlet._spool import END, INFO, POINTS, ROW, Record, records, try_lock

MOST_ROWS = 5_000  # of a batch
MOST_BYTES = 1 << 20  # after which a batch takes no further row


class NotASpool(ValueError):
    """A file that does not begin as a spool does."""


@dataclass
class Batch:
    """What one look at the spool gave."""

    rows: list[bytes] = field(default_factory=list)  # JSON lines
    first_seq: int = 0
    last_seq: int = -1
    patch: dict[str, Any] = field(default_factory=dict)  # for PATCH /runs/:run
    capture: Optional[str] = None  # a directory to look for git in
    complete: bool = True  # nothing more was to be read


class Tail:
    """One spool file from the first record on. `path` ends in `.spool`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stem = path.removesuffix(".spool")
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._first = self._first_record()
        self.run: Optional[str] = self._first.get("run")
        self.url: Optional[str] = self._first.get("url")
        self.client: str = self._first["client"]
        self.outside: bool = self._first.get("outside", True)
        self.finishes: bool = self._first.get("finish", False)
        self.create: dict[str, Any] = self._first.get("create") or {}
        self.ended = False
        self.end: dict[str, Any] = {}
        self._at = 0
        self._names: dict[int, str] = {}
        self._gone = False
        self._ack = self._stem + ".ack"
        self._run_note = os.path.join(os.path.dirname(path), str(self._first.get("local")) + ".run")
        noted = self._read_json(self._ack)
        self._next_seq: int = noted.get("next_seq", 0)
        self._told: int = noted.get("offset", 0)  # what the records before it told needs no second telling
        self._noted = (self._next_seq, self._told)

    def read(self) -> Batch:
        """The next rows, at most a batch of them."""
        batch = Batch()
        size = 0
        for record in records(self.path, self._at):
            self._at = record.end
            if record.kind == INFO:
                self._info(json.loads(record.payload), batch, record.end > self._told)
            elif record.kind == END:
                self.ended = True
                self.end = json.loads(record.payload) if record.payload else {}
                return batch
            elif record.kind in (POINTS, ROW) and record.seq >= self._next_seq:
                line = self._line(record)
                size += len(line)
                if not batch.rows:
                    batch.first_seq = record.seq
                batch.rows.append(line)
                batch.last_seq = record.seq
                if len(batch.rows) >= MOST_ROWS or size >= MOST_BYTES:
                    batch.complete = False
                    return batch
        return batch

    def delivered(self, batch: Batch) -> None:
        self._next_seq = batch.last_seq + 1

    def rewind(self, seq: int) -> None:
        """The server has less than we thought: from row `seq` on, again."""
        self._next_seq, self._at, self.ended = seq, 0, False
        self._names.clear()

    def acknowledge(self) -> None:
        """Notes for a later sender what is done."""
        self._told = max(self._told, self._at)
        if (self._next_seq, self._told) == self._noted:
            return
        self._write_json(self._ack, {"next_seq": self._next_seq, "offset": self._told})
        self._noted = (self._next_seq, self._told)

    def grown(self) -> bool:
        return self._left_over() > 0

    def client_lives(self) -> bool:
        if not self._gone:
            locked = try_lock(self._fd, fcntl.LOCK_SH) if self._first.get("lock") else None
            self._gone = not self._process_lives() if locked is None else locked
        return not self._gone

    def ask_to_stop(self) -> None:
        """SIGUSR1 for a program that handles it (`run.on_stop`), else what Ctrl-C would do, or SIGTERM where that is
        ignored. The lock that the client still holds proves that the process id is its own."""
        if not self.client_lives():
            return
        pid = self._first["pid"]
        if os.path.exists(os.path.join(os.path.dirname(self.path), "stop_signal")):
            number = signal.SIGUSR1
        else:
            number = signal.SIGTERM if _ignores_interrupts(pid) else signal.SIGINT
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def created_run(self) -> Optional[str]:
        """The run that an earlier sender created for this offline spool."""
        return self._read_json(self._run_note).get("run")

    def note_created_run(self, run: str, url: str) -> None:
        self._write_json(self._run_note, {"run": run, "url": url})

    def remove(self) -> None:
        """Everything is delivered: only what could not be read, or was refused, is kept."""
        if self._left_over() > 0:
            return
        for suffix in (".ack", ".spool", ".sender"):  # the spool before its sender's lock
            _unlink(self._stem + suffix)
        directory = os.path.dirname(self.path)
        left = {name for name in os.listdir(directory) if not name.endswith(".run")}
        if self.outside and left <= {"stop_signal"}:  # no other client's spool, and no .error
            _unlink(self._run_note)
            _unlink(os.path.join(directory, "stop_signal"))
            with contextlib.suppress(OSError):  # somebody put something here just now: then it stays
                os.rmdir(directory)

    def _left_over(self) -> int:
        return os.fstat(self._fd).st_size - self._at

    def _first_record(self) -> dict[str, Any]:
        for record in records(self.path, 0):
            first = json.loads(record.payload) if record.kind == INFO else {}
            if first.get("format") == 1 and isinstance(first.get("client"), str):
                return dict(first)
            break
        raise NotASpool(f"{self.path} does not begin as a spool of format 1 does")

    def _info(self, info: Mapping[str, Any], batch: Batch, news: bool) -> None:
        self._names.update({number: name for name, number in info.get("names", {}).items()})
        if news:
            batch.patch.update(info.get("patch", {}))
            if "config" in info:
                batch.patch["config"] = {**batch.patch.get("config", {}), **info["config"]}
            batch.capture = info.get("capture", {}).get("workdir", batch.capture)

    def _line(self, record: Record) -> bytes:
        if record.kind == ROW:
            values = record.payload
        else:
            count = len(record.payload) // 12
            numbers = struct.unpack(f"<{count}I{count}d", record.payload)
            row = {self._names[name]: value for name, value in zip(numbers[:count], numbers[count:])}
            values = json.dumps(row).encode()
        head = f'{{"seq": {record.seq}, "step": {record.step}, "time": {record.time}, "values": '
        return head.encode() + values + b"}"

    def _process_lives(self) -> bool:
        try:
            os.kill(self._first["pid"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def _read_json(self, path: str) -> dict[str, Any]:
        try:
            with open(path, encoding="utf-8") as file:
                noted = json.load(file)
        except (FileNotFoundError, ValueError):  # torn by a power cut: then everything is sent again, and kept once
            return {}
        return noted if isinstance(noted, dict) else {}

    def _write_json(self, path: str, content: Mapping[str, Any]) -> None:
        temporary = path + ".new"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(temporary, path)


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
