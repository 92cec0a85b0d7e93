"""Requests to the server: JSON in and out, one connection kept open, and failures sorted by what can be done."""

from __future__ import annotations

import http.client
import json
from typing import Any, Optional
from urllib.parse import urlsplit

API = "/api/v1"


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
        """Sends JSON (bytes are JSON lines already) and returns the answer's object."""
        headers = dict(self._headers)
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/x-ndjson"
        elif body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        status, retry_after, data = self._exchange(method, self._base + path, body, headers)
        answer = _object(data)
        if 200 <= status < 300:
            return answer
        error = answer.get("error")
        error = error if isinstance(error, dict) else {}
        said = " ".join(str(error[key]) for key in ("message", "hint") if error.get(key))
        message = f"{self.url} answered {status} to {method} {path}: {said or http.client.responses.get(status, '')}"
        if status >= 500 or status in (408, 425, 429) or status < 200:
            raise Unreachable(message, retry_after)
        details = error.get("details", answer.get("details"))
        raise Refused(status, message, details if isinstance(details, dict) else {})

    def close(self) -> None:
        self._http.close()

    def _exchange(
        self, method: str, path: str, body: Optional[bytes], headers: dict[str, str]
    ) -> tuple[int, float, bytes]:
        reused = self._http.sock is not None
        try:
            return self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            # A kept connection may have been closed by a server that was idle or restarted: once more on a new one.
            # Sending twice is harmless: every request here may be repeated, and POST /runs is the first on its own.
            if not reused:
                raise Unreachable(f"{self.url} cannot be reached: {error or type(error).__name__}") from error
        try:
            return self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise Unreachable(f"{self.url} cannot be reached: {error or type(error).__name__}") from error

    def _once(self, method: str, path: str, body: Optional[bytes], headers: dict[str, str]) -> tuple[int, float, bytes]:
        self._http.request(method, path, body, headers)
        response = self._http.getresponse()
        return response.status, _seconds(response.getheader("Retry-After")), response.read()


def _object(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data) if data else {}
    except ValueError:
        return {}  # a proxy's page, say: the status alone counts
    return answer if isinstance(answer, dict) else {}


def _seconds(text: Optional[str]) -> float:
    return min(float(text), 60.0) if text and text.isdecimal() else 0.0
