"""trackio: its server (Gradio over SQLite) and its client, which sends from a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking import api
from tracking.systems.base import Client, Place, System

TOKEN = "benchtoken"


class Trackio(System):
    name = "trackio"
    environment_name = "trackio"
    most_steps = 30_000

    def environment(self, place: Place) -> dict[str, str]:
        return {
            **super().environment(place),
            "TRACKIO_DIR": place.data,
            "TRACKIO_WRITE_TOKEN": TOKEN,
            "GRADIO_SERVER_PORT": str(place.port),
            "GRADIO_NUM_PORTS": "1",
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "BROWSER": "true",
        }

    def command(self, place: Place) -> list[str]:
        return [*self.program("trackio"), "show", "--host", "127.0.0.1"]

    def is_ready(self, place: Place) -> bool:
        return bool(api.Connection(place.port, timeout=5).request("POST", "/api/get_all_projects", {}).body)

    def client(self, place: Place) -> Client:
        return TrackioClient(place)


class TrackioClient(Client):
    def __init__(self, place: Place) -> None:
        import trackio

        self._trackio = trackio
        self._server = f"http://127.0.0.1:{place.port}/?write_token={TOKEN}"
        self._run: Any = None

    def begin(self, run: str) -> None:
        self._run = self._trackio.init(
            project="bench",
            name=run,
            config={"lr": 0.1},
            auto_log_gpu=False,
            auto_log_cpu=False,
            embed=False,
            server_url=self._server,
        )

    def log(self, step: int, row: Mapping[str, float]) -> None:
        self._run.log(row, step=step)

    def finish(self) -> None:
        self._run.finish()

    def stored(self, run: str) -> int:
        from trackio.sqlite_storage import SQLiteStorage

        rows = SQLiteStorage.get_logs("bench", run, max_points=None)
        return sum(1 for row in rows for key in row if key.startswith("train/loss_"))


SYSTEM = Trackio()
