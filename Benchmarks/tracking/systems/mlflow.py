"""MLflow: its server on SQLite, its client with the largest batches that it takes (1,000 values)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tracking import api, values
from tracking.systems.base import Client, Place, System

BATCH = 1_000  # values, documented maximum of log_batch
KEY = "loss"


class MLflow(System):
    name = "mlflow"
    environment_name = "mlflow"
    most_steps = 20_000

    def environment(self, place: Place) -> dict[str, str]:
        return {
            **super().environment(place),
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{place.port}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven more processes that no figure here needs
            "GIT_PYTHON_REFRESH": "quiet",
        }

    def command(self, place: Place) -> list[str]:
        return [
            *self.program("mlflow"),
            *("server", "--backend-store-uri", f"sqlite:///{place.data}/mlflow.db"),
            *("--artifacts-destination", f"{place.data}/artifacts", "--host", "127.0.0.1", "--port", str(place.port)),
            # With the usual 5 s its workers are killed in a loop on a busy machine.
            *("--uvicorn-opts", "--timeout-worker-healthcheck 120"),
        ]

    def is_ready(self, place: Place) -> bool:
        asked = api.Connection(place.port, timeout=5).post("/api/2.0/mlflow/experiments/search", {"max_results": 5})
        return "experiments" in asked

    def files(self, place: Place) -> list[str]:
        return [f"{place.data}/mlflow.db", f"{place.data}/mlflow.db-wal", f"{place.data}/mlflow.db-journal"]

    def client(self, place: Place) -> Client:
        return MLflowClient(place)

    def chart(self, runs: list[str]) -> str:
        """The call that its page makes for a chart: at most 320 points a run."""
        asked = [("metric_key", KEY), ("max_results", "320"), *(("run_ids", run) for run in runs)]
        return f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{urlencode(asked)}"


class MLflowClient(Client):
    def __init__(self, place: Place) -> None:
        import mlflow
        from mlflow.entities import Metric
        from mlflow.tracking import MlflowClient

        self._mlflow, self._metric = mlflow, Metric
        self._file = f"{place.data}/mlflow.db"
        mlflow.set_tracking_uri(f"http://127.0.0.1:{place.port}")
        self._client = MlflowClient()
        self._run = ""
        self._batch: list[Any] = []

    def begin(self, run: str) -> None:
        self._mlflow.set_experiment("bench")
        self._run = self._mlflow.start_run(run_name=run).info.run_id
        self._mlflow.log_params({"lr": 0.1})

    def log(self, step: int, row: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        self._batch += [self._metric(key, value, now, step) for key, value in row.items()]
        if len(self._batch) >= BATCH:
            self._send()

    def finish(self) -> None:
        self._send()
        self._mlflow.end_run()

    def stored(self, run: str) -> int:
        found = "select count(*) from metrics join runs using (run_uuid) where runs.name = ?"
        with sqlite3.connect(self._file, timeout=60) as database:
            return int(database.execute(found, (run,)).fetchone()[0])

    def seed(self, name: str, runs: int, steps: int, kind: str) -> list[str]:
        """Runs through its API, their points straight into its tables."""
        self._mlflow.set_experiment("bench")
        ids = []
        for number in range(runs):
            with self._mlflow.start_run(run_name=f"{name}-{number}") as run:
                ids.append(str(run.info.run_id))
        insert = "insert into {}(key, value, timestamp, step, is_nan, run_uuid) values (?, ?, ?, ?, 0, ?)"
        with sqlite3.connect(self._file, timeout=60) as database:
            for number, run_id in enumerate(ids):
                column, at = values.losses(kind, 1, steps, number)[0], 1_790_000_000_000
                points = [(KEY, value, at + step, step, run_id) for step, value in enumerate(column)]
                database.executemany(insert.format("metrics"), points)
                database.execute(insert.format("latest_metrics"), points[-1])
        return ids

    def _send(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            self._client.log_batch(self._run, metrics=batch)


SYSTEM = MLflow()
