"""HyperQueue: its server and one worker on this machine."""

from __future__ import annotations

import os
from typing import Any

from execution.systems.base import COMMAND, Launcher, System


class HyperQueue(System):
    name = "hyperqueue"
    environment_name = "hyperqueue"

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return HyperQueueLauncher(parallel, scratch)


class HyperQueueLauncher(Launcher):
    def __init__(self, parallel: int, scratch: str) -> None:
        super().__init__(parallel, scratch)
        from hyperqueue import LocalCluster
        from hyperqueue.cluster import WorkerConfig

        folder = os.path.join(scratch, "hq")
        os.makedirs(folder)
        self._cluster: Any = LocalCluster(folder)
        self._cluster.start_worker(WorkerConfig(cores=parallel))
        self._client: Any = self._cluster.client()

    def run(self, trials: int) -> int:
        from hyperqueue import Job

        job = Job(default_workdir=self.scratch)
        for _ in range(trials):
            job.program([COMMAND], stdout=None, stderr=None)
        submitted = self._client.submit(job)
        return trials if self._client.wait_for_jobs([submitted], raise_on_error=False) else 0

    def close(self) -> None:
        self._cluster.stop()


SYSTEM = HyperQueue()
