"""TensorBoard: event files written by tensorboardX, no server on the way."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tracking import api, values
from tracking.systems.base import Client, Place, System


class TensorBoard(System):
    name = "tensorboard"
    environment_name = "tensorboard"
    has_server = False
    most_steps = 30_000

    def command(self, place: Place) -> list[str]:
        """Its viewer, which reads the files again every second here."""
        where = ["--logdir", place.data, "--host", "127.0.0.1", "--port", str(place.port)]
        return [*self.program("tensorboard"), *where, "--reload_interval", "1"]

    def is_ready(self, place: Place) -> bool:
        return isinstance(api.Connection(place.port, timeout=5).get("/data/runs"), list)

    def client(self, place: Place) -> Client:
        return TensorBoardClient(place)

    def chart(self, run: str) -> str:
        """One run's curve, of which it keeps 1,000 sampled points."""
        return f"/data/plugin/scalars/scalars?tag=loss&run={quote(run)}"


class TensorBoardClient(Client):
    def __init__(self, place: Place) -> None:
        from tensorboardX import SummaryWriter

        self._writer_class = SummaryWriter
        self._data = place.data
        self._writer: Any = None

    def begin(self, run: str) -> None:
        self._writer = self._writer_class(f"{self._data}/{run}")

    def log(self, step: int, row: Mapping[str, float]) -> None:
        for key, value in row.items():
            self._writer.add_scalar(key, value, step)

    def finish(self) -> None:
        self._writer.close()

    def stored(self, run: str) -> int:
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.compat.proto.event_pb2 import Event

        files = glob.glob(f"{self._data}/{run}/events*")
        return sum(
            len(Event.FromString(raw).summary.value) for file in files for raw in RawEventFileLoader(file).Load()
        )

    def seed(self, name: str, runs: int, steps: int, kind: str) -> list[str]:
        ids = [f"{name}-{number}" for number in range(runs)]
        for number, run in enumerate(ids):
            writer = self._writer_class(f"{self._data}/{run}", max_queue=10_000)
            for step, value in enumerate(values.losses(kind, 1, steps, number)[0]):
                writer.add_scalar("loss", value, step)
            writer.close()
        return ids


SYSTEM = TensorBoard()
