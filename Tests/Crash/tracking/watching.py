"""A page that watches runs through the live feed and loses its server again and again (docs/api.md, "Live feed").

It holds what it was told, and reads over HTTP only where the feed says that it must. RFC 6455, as much of it as that
needs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections import Counter
from typing import Any, Optional

from tracking.server import PATIENCE, Server

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
ROWS, POINTS = 1, 2  # the ids of its subscriptions
BUCKETS = 20_000  # more than a test logs: series come raw


class Lost(Exception):
    """The connection is no more."""


class Socket:
    """A WebSocket of the live feed."""

    def __init__(self, port: int, token: str) -> None:
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            self._stream = self._socket.makefile("rb")
            key = base64.b64encode(os.urandom(16)).decode()
            self._socket.sendall(
                f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nAuthorization: Bearer {token}\r\nSec-WebSocket-Key: {key}\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            status = self._stream.readline()
            while self._stream.readline() not in (b"\r\n", b""):
                pass
        except OSError as error:
            raise Lost(str(error)) from error
        if status.split()[1:2] != [b"101"]:
            raise Lost(status.decode(errors="replace"))

    def close(self) -> None:
        """Wakes who waits for a frame, also in another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def end(self) -> None:
        """Lets go of all of it; for the thread that hears."""
        self.close()
        self._stream.close()

    def say(self, message: dict[str, Any]) -> None:
        self._send(TEXT, json.dumps(message).encode())

    def hear(self) -> tuple[int, bytes]:
        """The next message: text or binary."""
        while True:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
            kind, content = first & 0x0F, self._exactly(length)
            if kind == CLOSE:
                raise Lost(f"closed with {int.from_bytes(content[:2], 'big')}")
            if kind == PING:
                self._send(PONG, content)
            elif kind in (TEXT, BINARY):
                return kind, content

    def _exactly(self, count: int) -> bytes:
        try:
            found = self._stream.read(count)
        except (OSError, ValueError) as error:
            raise Lost(str(error)) from error
        if len(found) != count:
            raise Lost("the line broke")
        return found

    def _send(self, kind: int, content: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        length = len(content)
        size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
        try:
            self._socket.sendall(bytes([0x80 | kind]) + size + mask + masked)
        except OSError as error:
            raise Lost(str(error)) from error


class Watcher:
    """Watches all runs of a project and one metric of some of them, in a thread of its own."""

    def __init__(self, server: Server, project: str, runs: list[str], key: str) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, list[int]] = {run: [] for run in runs}
        self.count: Counter[str] = Counter()
        self.fault: Optional[BaseException] = None
        self._server = server
        self._project = project
        self._key = key
        self._places: dict[int, int] = {}
        self._epoch = ""
        self._names: dict[str, str] = {}
        self._socket: Optional[Socket] = None
        self._ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Breaks the line, which the server does not know."""
        if self._socket:
            self._socket.close()

    def close(self) -> None:
        self._ended = True
        self.cut()
        self._thread.join(PATIENCE)

    def _watch(self) -> None:
        while not self._ended:
            try:
                self._socket = Socket(self._server.port, self._server.token)
                self._follow(self._socket)
            except (Lost, OSError):
                time.sleep(0.02)  # the server is away: as a page does, it tries again
            except BaseException as fault:
                self.fault = fault
                return
            finally:
                if self._socket:
                    self._socket.end()

    def _follow(self, line: Socket) -> None:
        self._names = {}
        settled: set[int] = set()
        topics: dict[int, dict[str, Any]] = {
            ROWS: {"topic": "runs", "project": self._project, "snapshot": True},
            POINTS: {"topic": "points", "runs": list(self.steps), "keys": [self._key]},
        }
        for number, topic in topics.items():
            since = {"since": self._places[number], "epoch": self._epoch} if number in self._places else {}
            line.say({"type": "subscribe", "id": number, **topic, **since})
        seen: set[str] = set()
        while True:
            kind, content = line.hear()
            if kind == BINARY:
                self._take_points(content)
                continue
            message = json.loads(content)
            self.count[message["type"]] += 1
            number = message.get("id", 0)
            if message["type"] == "subscribed":
                if message["resumed"]:
                    self.count["resumed"] += 1
                    settled.add(number)
                elif number == POINTS:
                    # A line that breaks in the midst of the reading leaves nothing to go on from.
                    self._places.pop(number, None)
                    self._read(list(self.steps))
                    settled.add(number)
                    self._places[number] = message["seq"]
                else:
                    self._places.pop(number, None)
                self._epoch = message["epoch"]
            elif message["type"] == "run":
                self.rows[message["run"]["id"]] = message["run"]
                seen.add(message["run"]["id"])
            elif message["type"] == "deleted" and number == ROWS:
                self.rows.pop(message["run"], None)
            elif message["type"] == "snapshot":
                self.rows = {run: row for run, row in self.rows.items() if run in seen}
                settled.add(number)
                self._places[number] = message["seq"]
            elif message["type"] == "names":
                self._names.update({f"run {key}": run for key, run in message["runs"].items()})
            elif message["type"] == "changed":
                self._read(message["runs"])
            elif message["type"] == "error":
                raise AssertionError(f"the live feed: {message}")
            for place in settled if message["type"] == "ping" else settled & {number}:
                self._places[place] = max(self._places.get(place, 0), message.get("seq", 0))

    def _read(self, runs: list[str]) -> None:
        self.count["reads"] += 1
        body = {"runs": runs, "keys": [self._key], "buckets": BUCKETS}
        found = {series["run"]: series["steps"] for series in self._server.get("/series", body)["series"]}
        for run in runs:
            self.steps[run] = found.get(run, [])

    def _take_points(self, content: bytes) -> None:
        at = 8
        while at < len(content):
            _, run, count, flags = struct.unpack_from("<4I", content, at)
            at += 16
            steps = struct.unpack_from(f"<{count}q", content, at)
            at += 8 * count * (3 if flags & 1 else 2)
            held = self.steps[self._names[f"run {run}"]]
            last = held[-1] if held else -1
            # What was read over HTTP may hold some of them; the rest goes on where it ended.
            held += [step for step in steps if step > last]
            self.count["points"] += len(steps)
