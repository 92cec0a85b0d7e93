"""Martlet itself: its server, and its Python client as a training script uses it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Optional
from urllib.parse import quote

from harness.settings import ROOT

from tracking import api, options
from tracking.systems.base import Client, Place, System

DELIVERY = 180  # seconds that a cell waits for what was logged


class Martlet(System):
    name = "martlet"
    quiet = 7.0  # a run that has ended is sealed 5 s after its last row

    def missing(self) -> Optional[str]:
        program = options.from_environment().martlet
        return None if os.access(program, os.X_OK) else f"there is no {program}: run `make build` first"

    def environment(self, place: Place) -> dict[str, str]:
        kept = super().environment(place)
        kept["PYTHONPATH"] += f":{ROOT / 'clients' / 'python'}"
        kept["MARTLET_URL"] = f"http://127.0.0.1:{place.port}"
        kept["MARTLET_TOKEN"] = place.token
        kept["MARTLET_FINISH_TIMEOUT"] = str(DELIVERY)
        return kept

    def command(self, place: Place) -> list[str]:
        return [str(options.from_environment().martlet), "up", "--data", place.data, "--port", str(place.port)]

    def is_ready(self, place: Place) -> bool:
        return bool(api.Connection(place.port, timeout=5).get("/health") == {"status": "ok"})

    def token(self, place: Place) -> str:
        with open(os.path.join(place.data, "token"), encoding="utf-8") as file:
            return file.read().strip()

    def client(self, place: Place) -> Client:
        return MartletClient(place)


class MartletClient(Client):
    def __init__(self, place: Place) -> None:
        import martlet

        self._martlet = martlet
        self._place = place
        self._api = api.Connection(place.port, place.token, "/api/v1")
        self._run: Any = None
        self.spool = ""

    def begin(self, run: str) -> None:
        directory = os.path.join(self._place.scratch, run)
        self.spool = os.path.join(directory, ".martlet")
        self._run = self._martlet.init(project="bench", name=run, config={"lr": 0.1}, directory=directory)

    def log(self, step: int, row: Mapping[str, float]) -> None:
        self._run.log(row, step)

    def finish(self) -> None:
        self._run.finish()
        deadline = time.monotonic() + DELIVERY
        while os.path.isdir(self.spool) and any(name.endswith(".spool") for name in os.listdir(self.spool)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"points still lie in {self.spool} after {DELIVERY} s")
            time.sleep(0.01)
        if self._run.dropped:
            raise RuntimeError(f"the client dropped {self._run.dropped} values")

    def stored(self, run: str) -> int:
        found = self._api.get(f"/runs?project=bench&search={quote(run)}&limit=10")["items"]
        return sum(int(item["points"]) for item in found if item["name"] == run)


SYSTEM = Martlet()
