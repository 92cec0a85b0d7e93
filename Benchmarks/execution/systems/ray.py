"""Ray: a task for each trial."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from execution.systems.base import COMMAND, Launcher, System


class Ray(System):
    name = "ray"
    environment_name = "ray"

    def environment(self, scratch: str) -> dict[str, str]:
        return {
            **super().environment(scratch),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_DISABLE_IMPORT_WARNING": "1",
            "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
            "RAY_AIR_NEW_OUTPUT": "0",
        }

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return RayLauncher(parallel, scratch)


class RayLauncher(Launcher):
    def __init__(self, parallel: int, scratch: str) -> None:
        super().__init__(parallel, scratch)
        import ray

        # Its sockets' names may have 107 bytes.
        self._folder = f"/tmp/martlet-bench-ray-{os.getpid()}"
        self._ray: Any = ray
        ray.init(
            num_cpus=parallel,
            include_dashboard=False,
            _temp_dir=self._folder,
            _node_ip_address="127.0.0.1",
            logging_level="ERROR",
            log_to_driver=False,
        )

    def run(self, trials: int) -> int:
        task = self._ray.remote(run_one)
        codes = self._ray.get([task.remote(number) for number in range(trials)])
        return int(codes.count(0))

    def close(self) -> None:
        import shutil

        self._ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)


def run_one(number: int) -> int:
    return subprocess.run([COMMAND]).returncode


SYSTEM = Ray()
