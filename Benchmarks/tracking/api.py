"""HTTP with one server over a connection that is kept, timed by whoever calls."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any, NamedTuple, Optional

JSON = "application/json"
LINES = "application/x-ndjson"
ROWS = "application/vnd.martlet.rows"
SERIES = "application/vnd.martlet.series"


class Refused(Exception):
    """An answer that is not 2xx; the message holds what was asked and what was said."""

    def __init__(self, asked: str, status: int, said: str) -> None:
        super().__init__(f"{asked}: {status} {said[:300]}")
        self.status = status


class Answer(NamedTuple):
    media: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """To 127.0.0.1. Opened at the first request, and again after a server that went away."""

    def __init__(self, port: int, token: str = "", prefix: str = "", timeout: float = 120.0) -> None:
        self._port, self._token, self._prefix, self._timeout = port, token, prefix, timeout
        self._connection: Optional[http.client.HTTPConnection] = None

    def request(
        self, method: str, path: str, body: Any = None, *, media: str = JSON, accept: Optional[str] = None
    ) -> Answer:
        headers = {"Content-Type": media} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if accept:
            headers["Accept"] = accept
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        self._connection = None
        connection.request(method, self._prefix + path, content, headers)
        answer = connection.getresponse()
        read = answer.read()
        self._connection = connection
        if not 200 <= answer.status < 300:
            what = f"{method} {path}" + (f" ({media})" if media not in (JSON, LINES) else "")
            raise Refused(what, answer.status, read.decode(errors="replace"))
        return Answer((answer.getheader("Content-Type") or "").partition(";")[0], read)

    def get(self, path: str) -> Any:
        return self.request("GET", path).json()

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body).json()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
