"""Hugging Face Trainer: `Trainer(…, callbacks=[MartletCallback()])`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from transformers import TrainerCallback

from martlet._run import Run
from martlet.integrations._common import goals, guarded, run_of, settings


class MartletCallback(TrainerCallback):
    """What the Trainer logs becomes rows at its global step: `loss` as train/loss, `eval_loss` as eval/loss. Its
    arguments and the model's configuration become the run's. A run that is asked to stop ends its training after the
    step. With `save_checkpoints`, the best checkpoint's folder, or the last one's, is kept with the run at the end.
    """

    def __init__(self, run: Optional[Run] = None, *, save_checkpoints: bool = False, **init: Any) -> None:
        self._given, self._init = run, init
        self._save = save_checkpoints
        self._known: set[str] = set()
        self._last_checkpoint: Optional[str] = None
        self.run: Optional[Run] = None

    @guarded()
    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002
        if not state.is_world_process_zero:
            return
        run = self._begun()
        told = settings(args.to_dict())
        config = getattr(model, "config", None)
        if config is not None and callable(getattr(config, "to_dict", None)):
            told["model"] = settings(config.to_dict())
        run.config.update(told)
        if model is not None:
            run.watch(model, log=None)

    @guarded()
    def on_log(
        self,
        args: Any,  # noqa: ARG002
        state: Any,
        control: Any,  # noqa: ARG002
        logs: Optional[Mapping[str, Any]] = None,
        **_: Any,
    ) -> None:
        if state.is_world_process_zero and logs:
            run = self._begun()
            row = {_named(name): value for name, value in logs.items()}
            goals(run, row, self._known)
            run.log(row, int(state.global_step))

    @guarded()
    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self.run is not None and self.run.stopping:
            control.should_training_stop = True

    @guarded()
    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self._last_checkpoint = f"{args.output_dir}/checkpoint-{state.global_step}"

    @guarded()
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self.run is None:
            return
        if state.best_metric is not None:
            best = {"best_metric": state.best_metric, "best_checkpoint": state.best_model_checkpoint}
            self.run.summary.update(best)
        kept = state.best_model_checkpoint or self._last_checkpoint
        if self._save and kept:
            self.run.save(kept, base=args.output_dir)

    def _begun(self) -> Run:
        if self.run is None:
            self.run = run_of(self._given, **self._init)
        return self.run


def _named(name: str) -> str:
    for start in ("eval_", "test_"):
        if name.startswith(start):
            return f"{start[:-1]}/{name[len(start) :]}"
    return name if name == "epoch" else f"train/{name.removeprefix('train_')}"
