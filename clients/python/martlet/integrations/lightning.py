"""PyTorch Lightning: `Trainer(logger=MartletLogger(project="digits"))`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Union

try:
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities import rank_zero_only
except ImportError:  # the same under its older name
    from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
    from pytorch_lightning.utilities import rank_zero_only

from martlet._run import Run
from martlet.integrations._common import guarded, run_of, settings


class MartletLogger(Logger):
    """Hyperparameters become the run's configuration, metrics its rows at the trainer's global step.

    The run is the one that is active when the training begins, else a new one, of which `init` are the arguments. With
    `save_checkpoints`, the best and the last checkpoint are files of the run, at the end. Only the process of rank 0
    logs.
    """

    def __init__(
        self,
        project: Optional[str] = None,
        name: Optional[str] = None,
        *,
        run: Optional[Run] = None,
        prefix: str = "",
        save_checkpoints: bool = False,
        **init: Any,
    ) -> None:
        super().__init__()
        self._run = run
        self._init = {"project": project, "name": name, **init}
        self._prefix = prefix
        self._save = save_checkpoints
        self._checkpoints: Any = None

    @property
    @rank_zero_experiment
    def experiment(self) -> Run:
        """The run; begun when it is first asked for."""
        if self._run is None:
            self._run = run_of(None, **self._init)
        return self._run

    @property
    def name(self) -> Optional[str]:
        return self._run.project if self._run else self._init.get("project") or "martlet"

    @property
    def version(self) -> Union[int, str, None]:
        return self._run.id if self._run else None

    @property
    def save_dir(self) -> Optional[str]:
        """Where checkpoints go, below `name` and `version`: run.dir."""
        return self._run.dir if self._run else self._init.get("directory")

    @rank_zero_only
    @guarded()
    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        self.experiment.config.update(settings(params))

    @rank_zero_only
    @guarded()
    def log_metrics(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        self.experiment.log({self._prefix + name: value for name, value in metrics.items()}, step)

    @rank_zero_only
    @guarded()
    def watch(self, model: Any, log: Optional[str] = "gradients", log_freq: int = 1000) -> None:
        """`run.watch`."""
        self.experiment.watch(model, log, log_freq)

    @guarded()
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        self._checkpoints = checkpoint_callback

    @rank_zero_only
    @guarded()
    def finalize(self, status: str) -> None:
        """The run goes on: `test` may come after `fit`. The program's end, or `run.finish()`, ends it."""
        callback = self._checkpoints
        if self._run is None or callback is None or status != "success":
            return
        best, score = callback.best_model_path, callback.best_model_score
        if best and score is not None:
            self._run.summary.update({"best_checkpoint": str(best), "best_checkpoint_score": float(score)})
        if self._save:
            for path in dict.fromkeys(path for path in (best, callback.last_model_path) if path):
                self._run.save(path, policy="now")

    def __getstate__(self) -> dict[str, Any]:
        """A process that a strategy spawns begins no run: it is not of rank 0, or takes the active one."""
        return {**self.__dict__, "_run": None, "_checkpoints": None}
