"""What goes on at a server beside the trainers while it is killed: threads that speak to it by hand."""

from __future__ import annotations

import random
import threading
import traceback
from collections import Counter
from typing import Optional

from tracking.server import Answer, Body, Server, Unexpected
from tracking.verdict import Verdict

PAUSE = 0.02  # seconds between two tries of a server that is away


class Activity(threading.Thread):
    """Runs `work` until it is told to stop, or until something is wrong, which `faults` then says."""

    def __init__(self, server: Server, numbers: random.Random, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.server = server
        self.numbers = numbers
        self.faults: list[str] = []
        self.done: Counter[str] = Counter()  # what it did, in figures for people
        self._over = threading.Event()

    def run(self) -> None:
        try:
            self.work()
        except Exception:
            self.faults.append(f"{self.name}: {traceback.format_exc()}")

    def work(self) -> None:
        raise NotImplementedError

    def verdict(self) -> Verdict:
        """On what it did, once the server is up and nothing goes on any more."""
        return Verdict(faults=list(self.faults))

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def stop(self) -> None:
        self._over.set()

    def pause(self, seconds: float = PAUSE) -> None:
        self._over.wait(seconds)

    def ask(
        self,
        method: str,
        path: str,
        body: Body = None,
        kind: str = "",
        also: tuple[int, ...] = (),
        size: Optional[int] = None,
    ) -> Optional[Answer]:
        """One try: None when no whole answer came, or one that says "not now". Any answer but a 2xx and those in
        `also` is a fault."""
        try:
            answer = self.server.request(method, path, body, kind, size)
        except OSError:
            return None
        if answer.status == 503:
            return None
        if answer.status >= 300 and answer.status not in also:
            raise Unexpected(f"{method} {path} was answered with {answer.status}: {answer.data[:400]!r}")
        return answer

    def create(self, name: str) -> Optional[str]:
        """A new run, or the one of this name where an answer was lost; None when told to stop before."""
        while not self.is_over:
            # 404: the project comes with its first run.
            listed = self.ask("GET", f"/runs?project=crash&search={name}", also=(404,))
            if not listed:
                self.pause()
                continue
            ids = [run["id"] for run in listed.json.get("items", []) if run["name"] == name]
            if ids:
                return str(ids[0])
            self.ask("POST", "/runs", {"project": "crash", "name": name})
        return None
