"""Watches runs through the live feed (docs/api.md), as an open dashboard does, and counts what comes.

The agent `tracking.feed`; its argument is {"port", "token", "runs", "clients"?, "speed"?}: with a speed, in bytes a
second, it reads no faster than that out of a small buffer, as over a bad line. RFC 6455, as much of it as a client
needs.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import threading
import time
from typing import Any, Optional

from tracking import agents

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SMALL = 4096  # bytes of a slow reader's buffer


class Feed:
    def __init__(self, port: int, token: str, runs: list[str], speed: Optional[float] = None) -> None:
        self._speed = speed
        self._socket = socket.socket()
        if speed:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", port))
        self._stream = self._socket.makefile("rb", buffering=SMALL if speed else -1)
        self._frames = {TEXT: 0, BINARY: 0}
        self._bytes = 0
        self._end = ""
        self._open(port, token)
        self._send(TEXT, json.dumps({"type": "subscribe", "id": 1, "topic": "points", "runs": runs}).encode())
        while not self._is_subscribed(self._frame()):
            pass
        threading.Thread(target=self._watch, daemon=True).start()

    def seen(self) -> dict[str, Any]:
        if self._end:
            raise ConnectionError(self._end)
        return {"texts": self._frames[TEXT], "binaries": self._frames[BINARY], "bytes": self._bytes}

    def _open(self, port: int, token: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            (
                f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Authorization: Bearer {token}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        status = self._stream.readline()
        while self._stream.readline() not in (b"\r\n", b""):
            pass
        if status.split()[1:2] != [b"101"]:
            raise ConnectionError(f"the live feed answered {status.decode(errors='replace').strip()}")

    def _is_subscribed(self, frame: tuple[int, bytes]) -> bool:
        kind, content = frame
        said = json.loads(content) if kind == TEXT else {}
        if said.get("type") == "error":
            raise ConnectionError(f"the live feed: {said}")
        return said.get("type") == "subscribed"

    def _watch(self) -> None:
        self._socket.settimeout(None)
        try:
            while True:
                kind, content = self._frame()
                if kind == PING:
                    self._send(PONG, content)
                elif kind == CLOSE:
                    self._end = f"the live feed was closed with {int.from_bytes(content[:2], 'big')}"
                    return
                elif kind in self._frames:
                    self._frames[kind] += 1
                    self._bytes += len(content)
        except (OSError, ValueError) as error:
            self._end = f"the live feed ended: {error}"

    def _frame(self) -> tuple[int, bytes]:
        """The next frame; the server sends no pieces of messages."""
        first, second = self._exactly(2)
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
        return first & 0x0F, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self._stream.read(min(count - len(found), SMALL) if self._speed else count)
            if not piece:
                raise ConnectionError("the server closed the connection")
            if self._speed:
                time.sleep(len(piece) / self._speed)
            found += piece
        return found

    def _send(self, kind: int, content: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        length = len(content)
        size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
        self._socket.sendall(bytes([0x80 | kind]) + size + mask + masked)


def main(answers: int, argument: dict[str, Any]) -> None:
    feeds = [
        Feed(argument["port"], argument["token"], argument["runs"], argument.get("speed"))
        for _ in range(argument.get("clients", 1))
    ]

    def seen() -> dict[str, Any]:
        all_seen = [feed.seen() for feed in feeds]
        return {key: sum(one[key] for one in all_seen) for key in all_seen[0]}

    agents.serve({"seen": seen}, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
