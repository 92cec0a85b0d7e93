"""Blobs on their way to the server: asked for by their SHA-256, and put where the server does not have them yet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Callable

from martlet._connection import Connection, Refused

CHUNK = 256 << 10  # bytes between two looks whether we are to leave


class Lost(Exception):
    """A blob that neither the server nor the spool's directory has."""


class Blobs:
    """What lies in `<spool directory>/blobs`, each file under its SHA-256."""

    def __init__(self, directory: str) -> None:
        self._folder = os.path.join(directory, "blobs")

    def send(self, name: str, run: str, connection: Connection, between: Callable[[], None]) -> int:
        """Brings one blob to the server; returns how many bytes went. `between` is called between two pieces.

        Raises Refused when the server does not take it, and Lost.
        """
        path = f"/runs/{run}/blobs/{name}"
        try:
            connection.exchange("HEAD", path, None, {})
        except Refused:  # it is not there, or this token may not ask: then it is sent
            pass
        else:
            return 0
        try:
            file = open(self.path(name), "rb")  # noqa: SIM115 (closed below)
        except FileNotFoundError as error:
            raise Lost(f"the blob {name} is neither with the server nor in {self._folder}") from error
        with file:
            size = os.fstat(file.fileno()).st_size
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
            body = file.read() if size <= CHUNK else _pieces(file.fileno(), between)
            connection.exchange("PUT", path, body, headers)
        return size

    def forget(self, name: str) -> None:
        """The server has it."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(name))

    def path(self, name: str) -> str:
        """Where it lies here."""
        return os.path.join(self._folder, name)


def _pieces(fd: int, between: Callable[[], None]) -> Iterator[bytes]:
    while piece := os.read(fd, CHUNK):
        between()
        yield piece
