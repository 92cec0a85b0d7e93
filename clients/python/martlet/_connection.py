"""Requests to the server: one connection kept open, and failures sorted by what can be done."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any, NamedTuple, Optional, Union
from urllib.parse import urlsplit

API = "/api/v1"
ROWS = "application/vnd.martlet.rows"  # a piece of a spool
SERIES = "application/vnd.martlet.series"

Body = Union[bytes, Iterable[bytes], None]


class Unreachable(Exception):
    """No answer, or one that says "not now" (5xx, 429, 408): the same request may succeed later."""

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, when the server named them


class Refused(Exception):
    """The server's considered no (4xx): the same request would get it again."""

    def __init__(self, status: int, message: str, details: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.details = details


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Message
    data: bytes


class Connection:
    """One server. Not thread-safe; a connection that broke is opened again by the next request."""

    def __init__(self, url: str, token: Optional[str], timeout: float = 30) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https"):
            raise Unreachable(f"'{url}' is no address of a server; MARTLET_URL looks like http://127.0.0.1:7979")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url
        self._http = kind(host, port, timeout=timeout)
        self._base = parts.path.rstrip("/") + API
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Sends JSON and returns the answer's object."""
        data = None if body is None else json.dumps(body).encode()
        return _object(self.exchange(method, path, data, {} if data is None else {"Content-Type": "application/json"}))

    def post_rows(self, path: str, piece: bytes) -> dict[str, Any]:
        """Sends a piece of a spool."""
        return _object(self.exchange("POST", path, piece, {"Content-Type": ROWS}))

    def exchange(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        """Sends bytes and returns a 2xx answer; raises Refused and Unreachable for all others.

        A `body` of pieces is sent once: when the connection breaks, that is the caller's to repeat.
        """
        reused = self._http.sock is not None
        try:
            answer = self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            # A kept connection may have been closed by a server that was idle or restarted: once more on a new one.
            # Sending twice is harmless: every request here may be repeated, and POST /runs is the first on its own.
            if not reused or not (body is None or isinstance(body, bytes)):
                raise self._unreachable(error) from error
            try:
                answer = self._once(method, path, body, headers)
            except (OSError, http.client.HTTPException) as again:
                self._http.close()
                raise self._unreachable(again) from again
        if not 200 <= answer.status < 300:
            raise self._failure(method, path, answer)
        return answer

    def stream(self, path: str) -> http.client.HTTPResponse:
        """GET: a 2xx answer whose body is still to be read, before any other request."""
        try:
            self._http.request("GET", self._base + path, None, self._headers)
            response = self._http.getresponse()
            if 200 <= response.status < 300:
                return response
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise self._unreachable(error) from error
        raise self._failure("GET", path, answer)

    def close(self) -> None:
        self._http.close()

    def _once(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        hung_up = False
        try:
            self._http.request(method, self._base + path, body, {**self._headers, **headers})
        except (BrokenPipeError, ConnectionResetError):
            # A server that wants no more of the body may have said why before it hung up.
            if self._http.sock is None:
                raise
            hung_up = True
        response = self._http.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if hung_up:
            self._http.close()
        return answer

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"{self.url} cannot be reached: {error or type(error).__name__}")

    def _failure(self, method: str, path: str, answer: Answer) -> Exception:
        whole = _parsed(answer.data)
        error = whole.get("error")
        error = error if isinstance(error, dict) else {}
        status = answer.status
        said = " ".join(str(error[key]) for key in ("message", "hint") if error.get(key))
        message = f"{self.url} answered {status} to {method} {path}: {said or http.client.responses.get(status, '')}"
        if status >= 500 or status in (408, 425, 429) or status < 200:
            return Unreachable(message, _seconds(answer.headers.get("Retry-After")))
        details = error.get("details", whole.get("details"))
        return Refused(status, message, details if isinstance(details, dict) else {})


def _object(answer: Answer) -> dict[str, Any]:
    return _parsed(answer.data)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data) if data else {}
    except ValueError:
        return {}  # a proxy's page, say: the status alone counts
    return answer if isinstance(answer, dict) else {}


def _seconds(text: Optional[str]) -> float:
    return min(float(text), 60.0) if text and text.isdecimal() else 0.0
