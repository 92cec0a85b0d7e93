"""A relay between clients and a server that mangles what passes: what networks and proxies do, from one seed.

Only requests that a client may repeat are mangled (points, ends, signs of life, changes): `POST /runs` and reads pass.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import threading
import time
from collections import Counter
from typing import Callable, Optional

REPEATABLE = re.compile(rb"^(POST /api/v1/runs/\w+/(log|finish|heartbeat)|PATCH /api/v1/runs/\w+)[? ]")
REMEMBERED = 40  # requests, for deliveries that come late
TIMEOUT = 30.0  # seconds
STATUSES = (429, 500, 502, 503, 504)


class Relay:
    """Listens on a port of its own. `mangle` is the share of requests that something happens to."""

    def __init__(self, port: int, seed: int, mangle: float = 0.5) -> None:
        self.done: Counter[str] = Counter()  # what was done to how many requests
        self._server = ("127.0.0.1", port)
        self._numbers = random.Random(seed)
        self._mangle = mangle
        self._lock = threading.Lock()
        self._old: list[bytes] = []
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._faults: list[Callable[[bytes, socket.socket], bool]] = [
            self._cut_body,
            self._lose_answer,
            self._cut_answer,
            self._delay,
            self._double,
            self._deliver_old,
            self._refuse,
            self._hang_up,
        ]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def kinds(self) -> int:
        """How many kinds of things `done` counts, once each has happened."""
        return len(self._faults) + 1

    def calm(self) -> None:
        """From now on everything passes."""
        self._mangle = 0.0

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One client's connection: request after request, until it or a fault ends it."""
        client.settimeout(TIMEOUT)
        with client, contextlib.suppress(OSError):
            while not self._closed:
                request = read_message(client)
                if not request:
                    return
                fault = self._choose(request)
                if fault is None:
                    client.sendall(self._forward(request))
                elif not fault(request, client):
                    return

    def _choose(self, request: bytes) -> Optional[Callable[[bytes, socket.socket], bool]]:
        if not REPEATABLE.match(request):
            return None
        with self._lock:
            fault = self._numbers.choice(self._faults) if self._numbers.random() < self._mangle else None
            self.done[fault.__name__[1:] if fault else "passed"] += 1
            self._old = [*self._old[1 - REMEMBERED :], request]
            return fault

    def _forward(self, request: bytes) -> bytes:
        """The whole answer; an OSError when the server is away, which the client then meets as a broken connection."""
        with socket.create_connection(self._server, TIMEOUT) as server:
            server.sendall(request)
            answer = read_message(server, bodiless=request.startswith(b"HEAD "))
        if not answer:
            raise ConnectionError("no answer")
        return answer

    def _roll(self, most: float) -> float:
        with self._lock:
            return self._numbers.uniform(0, most)

    # What may happen to a request. True: the connection goes on.

    def _cut_body(self, request: bytes, client: socket.socket) -> bool:
        with socket.create_connection(self._server, TIMEOUT) as server:
            server.sendall(request[: int(self._roll(len(request)))])
        return False

    def _lose_answer(self, request: bytes, client: socket.socket) -> bool:
        self._forward(request)
        return False

    def _cut_answer(self, request: bytes, client: socket.socket) -> bool:
        answer = self._forward(request)
        client.sendall(answer[: int(self._roll(len(answer)))])
        return False

    def _delay(self, request: bytes, client: socket.socket) -> bool:
        time.sleep(self._roll(0.3))
        answer = self._forward(request)
        time.sleep(self._roll(0.3))
        client.sendall(answer)
        return True

    def _double(self, request: bytes, client: socket.socket) -> bool:
        """Twice at the same time; one of the answers is passed on."""
        other = threading.Thread(target=self._forward_quietly, args=(request,), daemon=True)
        other.start()
        answer = self._forward(request)
        other.join(TIMEOUT)
        client.sendall(answer)
        return True

    def _deliver_old(self, request: bytes, client: socket.socket) -> bool:
        """An earlier request of anybody arrives once more, before or after this one."""
        with self._lock:
            old, before = self._numbers.choice(self._old), self._numbers.random() < 0.5
        if before:
            self._forward_quietly(old)
        answer = self._forward(request)
        if not before:
            self._forward_quietly(old)
        client.sendall(answer)
        return True

    def _refuse(self, request: bytes, client: socket.socket) -> bool:
        """In the server's stead, which half the time has got the request."""
        with self._lock:
            status, passes = self._numbers.choice(STATUSES), self._numbers.random() < 0.5
        if passes:
            self._forward(request)
        page = b"<html>not now</html>"
        client.sendall(b"HTTP/1.1 %d Not now\r\nContent-Length: %d\r\n\r\n%b" % (status, len(page), page))
        return True

    def _hang_up(self, request: bytes, client: socket.socket) -> bool:
        return False

    def _forward_quietly(self, request: bytes) -> None:
        with contextlib.suppress(OSError):
            self._forward(request)


def read_message(connection: socket.socket, bodiless: bool = False) -> bytes:
    """One HTTP message with its body; nothing when the other side is done. Bodies have a Content-Length here, or come
    in chunks. The answer to HEAD tells the length of a body that does not come."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (piece := connection.recv(65_536))
        if not piece:
            return b""
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
    chunked = re.search(rb"(?im)^transfer-encoding:\s*chunked", head)
    if bodiless:
        return data
    pieces, size = [body], len(body)
    while (chunked and not b"".join(pieces[-2:]).endswith(b"0\r\n\r\n")) or (length and size < int(length[1])):
        piece = connection.recv(1 << 20)
        if not piece:
            return b""
        pieces.append(piece)
        size += len(piece)
    return head + b"\r\n\r\n" + b"".join(pieces)
