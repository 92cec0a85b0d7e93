"""A data directory, and a server on it that may be killed at any moment."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union
from urllib.parse import urlencode

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILDS = [ROOT / ".build" / kind / "martlet" for kind in ("debug", "release")]
MARTLET = os.path.abspath(
    os.environ.get("MARTLET_BIN") or next((build for build in BUILDS if build.exists()), BUILDS[0])
)
API = "/api/v1"
PATIENCE = 120.0  # seconds, for whatever must come: a loaded machine is no failure

Body = Union[None, bytes, Mapping[str, Any], Iterable[bytes]]


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def error(self) -> dict[str, Any]:
        """The error's object; empty when this is no answer of Martlet's."""
        try:
            found = json.loads(self.data)["error"]
        except (ValueError, KeyError, TypeError):
            return {}
        return found if isinstance(found, dict) else {}


class Unexpected(AssertionError):
    """An answer that no server should give."""


class Server:
    """The server of one data directory, always on the same port."""

    def __init__(self, data: str, log: str, environment: Mapping[str, str], options: Sequence[str] = ()) -> None:
        self.data = data
        self.options = options  # of `martlet up`
        self.port = free_port()
        self.environment = {**environment, "MARTLET_DATA": data}
        self._log = log
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._token = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        if not self._token:
            self._token = pathlib.Path(self.data, "token").read_text().strip()
        return self._token

    @property
    def pid(self) -> int:
        """Of the last one that was started; 0 when none was."""
        return self._process.pid if self._process else 0

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it without waiting for it to listen."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [MARTLET, "up", "--port", str(self.port), *self.options],
                env=self.environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def end(self, number: int = signal.SIGKILL) -> int:
        """Ends it by a signal; returns its status."""
        assert self._process is not None, "no server was started"
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)

    def stop_if_alive(self) -> None:
        if self.lives:
            self.end()

    def ensure_up(self) -> None:
        """Starts it where it is not up, and waits until it answers."""
        end = time.monotonic() + PATIENCE
        while not self.is_up():
            if not self.lives:
                if self._process is not None and self._process.returncode != -signal.SIGKILL:
                    raise Unexpected(f"the server ended by itself ({self._process.returncode}):\n{self.log()}")
                self.start()
            if time.monotonic() > end:
                raise Unexpected(f"the server is not up after {PATIENCE:.0f} s:\n{self.log()}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raises when it ended although nobody killed it."""
        if self._process is not None and self._process.poll() not in (None, -signal.SIGKILL, 0):
            raise Unexpected(f"the server ended by itself ({self._process.returncode}):\n{self.log()}")

    def is_up(self) -> bool:
        try:
            return self.request("GET", "/version").status == 200
        except OSError:
            return False

    def log(self) -> str:
        return pathlib.Path(self._log).read_text(errors="replace")[-4_000:]

    def request(self, method: str, path: str, body: Body = None, kind: str = "", size: Optional[int] = None) -> Answer:
        """One request on a connection of its own; `size`: of a body that comes in pieces. Raises OSError when there is
        no whole answer."""
        headers = {}
        if not path.endswith("/version"):
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, Mapping):
            body, kind = json.dumps(body).encode(), kind or "application/json"
        if kind:
            headers["Content-Type"] = kind
        if size is not None:
            headers["Content-Length"] = str(size)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, API + path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"no whole answer: {error!r}") from error
        finally:
            connection.close()

    def get(self, path: str, body: Body = None) -> Any:
        """What a request that must succeed answers."""
        answer = self.request("GET" if body is None else "POST", path, body)
        if answer.status not in (200, 201, 202):
            raise Unexpected(f"{path} was answered with {answer.status}: {answer.data[:400]!r}")
        return answer.json

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, over all its pages."""
        while True:
            page = self.get(f"{path}?{urlencode({'limit': 1000, **query})}")
            yield from page["items"]
            if not page.get("next"):
                return
            query["cursor"] = page["next"]

    def has(self, method: str, path: str) -> bool:
        """Whether the server's own document names this route; `path` as in docs/api.md, `:run` for a parameter."""
        parts = [f"{{{part[1:]}}}" if part.startswith(":") else part for part in path.split("/")]
        documented = self.get("/openapi.json")["paths"].get(API + "/".join(parts), {})
        return method.lower() in documented

    def takes(self, kind: str) -> bool:
        """Whether points may have this content type."""
        log = self.get("/openapi.json")["paths"][f"{API}/runs/{{run}}/log"]["post"]
        return kind in log["requestBody"]["content"]

    def run(self, *words: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """`martlet WORDS…` on this data directory."""
        return subprocess.run(
            [MARTLET, *words],
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def free_port() -> int:
    """A port below those that the system gives to outgoing connections: nobody gets it by chance while its server is
    away, not even a client that tries to reach that server."""
    numbers = random.SystemRandom()
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = numbers.randrange(8_000, lowest) if lowest > 10_000 else 0
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Unexpected("there is no free port")
