"""Sends bodies that lie ready, one after the other over a connection that is kept.

The agent `tracking.load`; its argument is {"port", "token", "client", "media", "file", "most"}.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any, BinaryIO

from tracking import agents, bodies


class Load:
    def __init__(self, argument: dict[str, Any]) -> None:
        self._argument = argument
        self._bodies = bodies.read(argument["file"], argument["most"])
        self._socket = socket.create_connection(("127.0.0.1", argument["port"]), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: BinaryIO = self._socket.makefile("rb")

    def ready(self, run: str) -> dict[str, Any]:
        head = (
            f"POST /api/v1/runs/{run}/log?client={self._argument['client']} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self._argument['token']}\r\nContent-Type: {self._argument['media']}\r\n"
        )
        self._requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in self._bodies]
        return {"bodies": len(self._requests)}

    def send(self) -> dict[str, Any]:
        """Everything; ends at the first answer that is not 2xx, and tells it."""
        began, accepted = time.time(), 0
        for request in self._requests:
            self._socket.sendall(request)
            status, body = self._answer()
            if not 200 <= status < 300:
                media = self._argument["media"]
                raise RuntimeError(f"POST /runs/:run/log ({media}): {status} {body.decode(errors='replace')[:300]}")
            accepted += int(json.loads(body)["accepted"])
        return {"accepted": accepted, "began": began, "ended": time.time()}

    def _answer(self) -> tuple[int, bytes]:
        status, length = self._answers.readline(), 0
        while (line := self._answers.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not status:
            raise ConnectionError("the server closed the connection")
        return int(status.split()[1]), self._answers.read(length)


def main(answers: int, argument: dict[str, Any]) -> None:
    load = Load(argument)
    agents.serve({"ready": load.ready, "send": load.send}, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
