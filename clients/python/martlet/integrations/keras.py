"""Keras 3, or the one in TensorFlow: `model.fit(…, callbacks=[MartletCallback()])`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

try:
    import keras
except ImportError:
    from tensorflow import keras

from martlet._run import Run
from martlet.integrations._common import goals, guarded, run_of, settings


class MartletCallback(keras.callbacks.Callback):
    """A row an epoch, with `epoch` and the learning rate; with `log_freq`, also one each so many batches, under
    `batch/`. The optimizer's settings go into the configuration, the layers into the model's table. A run that is asked
    to stop ends its training after the batch."""

    def __init__(self, run: Optional[Run] = None, *, log_freq: Optional[int] = None, **init: Any) -> None:
        super().__init__()
        self._given, self._init = run, init
        self._log_freq = log_freq
        self._batches = 0
        self._fitting = False
        self._known: set[str] = set()
        self.run: Optional[Run] = None

    @guarded()
    def on_train_begin(self, logs: Optional[Mapping[str, Any]] = None) -> None:  # noqa: ARG002
        run = self.run = run_of(self._given, **self._init)
        self._fitting = True
        told: dict[str, Any] = {key: value for key, value in (self.params or {}).items() if key != "verbose"}
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None:
            told["optimizer"] = settings(optimizer.get_config())
        run.config.update(told)
        run._model(_model_of(self.model))

    @guarded()
    def on_train_batch_end(self, batch: int, logs: Optional[Mapping[str, Any]] = None) -> None:  # noqa: ARG002
        self._batches += 1
        if self.run is None:
            return
        if self._log_freq and logs and self._batches % self._log_freq == 0:
            self.run.log({f"batch/{name}": value for name, value in logs.items()})
        if self.run.stopping:
            self.model.stop_training = True

    @guarded()
    def on_epoch_end(self, epoch: int, logs: Optional[Mapping[str, Any]] = None) -> None:
        if self.run is None:
            return
        row = {_named(name): value for name, value in (logs or {}).items()}
        goals(self.run, row, self._known)
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None and "learning_rate" not in row:
            row["learning_rate"] = float(rate)
        self.run.log({"epoch": epoch, **row})

    @guarded()
    def on_train_end(self, logs: Optional[Mapping[str, Any]] = None) -> None:  # noqa: ARG002
        self._fitting = False

    @guarded()
    def on_test_end(self, logs: Optional[Mapping[str, Any]] = None) -> None:
        """Of `evaluate`; what `fit` validates comes with its epoch."""
        if logs and not self._fitting:
            run = self.run = self.run or run_of(self._given, **self._init)
            run.log({f"test/{name}": value for name, value in logs.items()})


def _named(name: str) -> str:
    """`val_loss` as val/loss, `loss` as train/loss: charts of one measure stand together."""
    if name.startswith("val_"):
        return f"val/{name[4:]}"
    return name if name in ("learning_rate", "lr") else f"train/{name}"


def _model_of(model: Any) -> dict[str, Any]:
    rows = []
    for layer in getattr(model, "layers", []):
        built = getattr(layer, "built", True)
        rows.append(
            {
                "name": layer.name,
                "type": type(layer).__name__,
                "parameters": int(layer.count_params()) if built else 0,
                "trainable": _count(layer.trainable_weights) if built else 0,
                "input_shape": _shape(layer, "input"),
                "output_shape": _shape(layer, "output"),
            }
        )
    built = getattr(model, "built", False)
    return {
        "framework": "keras",
        "parameters": int(model.count_params()) if built else 0,
        "trainable": _count(model.trainable_weights) if built else 0,
        "layers": rows,
    }


def _count(weights: Any) -> int:
    total = 0
    for weight in weights:
        size = 1
        for length in weight.shape:
            size *= int(length)
        total += size
    return total


def _shape(layer: Any, side: str) -> Optional[list[Optional[int]]]:
    """None stands for the batch."""
    try:
        shape = getattr(layer, side).shape
        return [None if length is None else int(length) for length in shape]
    except Exception:  # a layer that was never called, or has several
        return None
