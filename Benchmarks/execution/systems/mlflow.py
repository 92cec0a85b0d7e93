"""MLflow: a run for each trial, in its SQLite store; what runs the commands is a pool of threads."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from execution.systems.base import COMMAND, Launcher, System


class MLflow(System):
    name = "mlflow"
    environment_name = "mlflow"
    most_trials = 100

    def environment(self, scratch: str) -> dict[str, str]:
        return {
            **super().environment(scratch),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        }

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return MLflowLauncher(parallel, scratch)


class MLflowLauncher(Launcher):
    def __init__(self, parallel: int, scratch: str) -> None:
        super().__init__(parallel, scratch)
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient(f"sqlite:///{os.path.join(scratch, 'mlflow.db')}")
        self._experiment: str = self._client.create_experiment("bench")

    def run(self, trials: int) -> int:
        with ThreadPoolExecutor(self.parallel) as pool:
            return sum(pool.map(self._one, range(trials)))

    def _one(self, number: int) -> bool:
        run = self._client.create_run(self._experiment).info.run_id
        code = subprocess.run([COMMAND]).returncode
        self._client.log_metric(run, "loss", float(code))
        self._client.set_terminated(run)
        return code == 0


SYSTEM = MLflow()
