"""Ray Tune: a trial for each trial, random search."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from execution.systems.base import COMMAND, Launcher
from execution.systems.ray import Ray, RayLauncher


class RayTune(Ray):
    name = "ray-tune"
    most_trials = 30

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return RayTuneLauncher(parallel, scratch)


class RayTuneLauncher(RayLauncher):
    def run(self, trials: int) -> int:
        from ray import tune

        found = tune.Tuner(
            objective,
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=self.parallel),
            run_config=tune.RunConfig(storage_path=os.path.join(self.scratch, "tune"), verbose=0),
        ).fit()
        return sum(1 for result in found if not result.error)


def objective(config: dict[str, Any]) -> dict[str, float]:
    return {"loss": float(subprocess.run([COMMAND]).returncode)}


SYSTEM = RayTune()
