"""Uploads blobs while the server is killed: a blob is there whole, or not at all."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator

from tracking.activity import Activity
from tracking.server import Server
from tracking.verdict import Verdict

SIZES = (0, 1, 4_096, 70_000, 1_500_000)  # bytes
BYTES = "application/octet-stream"
PIECE = 65_536
MOST_BYTES = 30_000_000  # of all blobs of a batch


class Uploader(Activity):
    """Puts random bytes under their SHA-256, in pieces that take their time."""

    def __init__(self, server: Server, numbers: random.Random, moment: threading.Event) -> None:
        super().__init__(server, numbers, "uploader")
        self._moment = moment
        self._run = ""
        self._stored: dict[str, int] = {}  # size by hash: a server has said so
        self._tried: set[str] = set()

    def work(self) -> None:
        run = self.create("blobs")
        if run is None:
            return
        self._run = run
        while not self.is_over and sum(self._stored.values()) < MOST_BYTES:
            self._put(self.numbers.randbytes(self.numbers.choice(SIZES)))
            self.pause(self.numbers.uniform(0, 0.3))

    def _put(self, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self._tried.add(digest)
        while not self.is_over:
            if self.ask("PUT", self._path(digest), self._pieces(content), BYTES, size=len(content)):
                self._stored[digest] = len(content)
                self.done["blobs stored"] += 1
                return
            found = self.ask("GET", self._path(digest), also=(404,))
            if found and found.status == 200 and found.data != content:
                self.faults.append(f"{self.name}: of {len(content)} bytes, {len(found.data)} are there")
            self.pause()

    def _pieces(self, content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), PIECE):
            self._moment.set()
            yield content[start : start + PIECE]
            time.sleep(0.005)

    def _path(self, digest: str) -> str:
        return f"/runs/{self._run}/blobs/{digest}"

    def verdict(self) -> Verdict:
        verdict = super().verdict()
        for digest in self._tried:
            answer = self.server.request("GET", self._path(digest))
            if answer.status == 200 and hashlib.sha256(answer.data).hexdigest() != digest:
                verdict.faults.append(f"{self.name}: {digest} has other bytes, {len(answer.data)} of them")
            elif answer.status != 200 and (answer.status != 404 or digest in self._stored):
                verdict.faults.append(f"{self.name}: {digest} was stored and is answered with {answer.status}")
        return verdict
