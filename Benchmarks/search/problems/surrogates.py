"""Surrogates of training runs: YAHPO Gym's ONNX models (github slds-lmu/yahpo_data, Apache-2.0), from a folder.

The folder holds `lcbench` and `rbv2_xgboost`, each with config_space.json, encoding.json and model.onnx.
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from search.problems.base import Given, Problem
from search.spaces import Parameter, Point, Space, Value, choice, real, space, when, whole

EPOCHS = 52  # of a curve of LCBench
CURVES = ("3945", "126026")  # its data sets that are used


class Inputs(NamedTuple):
    """The inputs and outputs of a model, in its order."""

    numbers: tuple[str, ...]
    choices: tuple[str, ...]  # the first is the data set
    outputs: tuple[str, ...]


INPUTS = {
    "lcbench": Inputs(
        ("epoch", "batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout"),
        ("OpenML_task_id",),
        ("time", "val_accuracy", "val_cross_entropy", "val_balanced_accuracy", "test_cross_entropy"),
    ),
    "rbv2_xgboost": Inputs(
        ("nrounds", "eta", "gamma", "lambda", "alpha", "subsample", "max_depth", "min_child_weight")
        + ("colsample_bytree", "colsample_bylevel", "rate_drop", "skip_drop", "trainsize", "repl"),
        ("task_id", "booster", "num.impute.selected.cpo"),
        ("acc", "bac", "auc", "brier", "f1", "logloss", "timetrain", "timepredict", "memory"),
    ),
}


def problems(folder: Path) -> list[Problem]:
    """Raises ImportError or OSError where the packages or the folder are missing."""
    whole_set: dict[str, Value] = {"trainsize": 1.0, "repl": 10}
    return [
        *[surrogate(Scenario(folder, "lcbench", task, "val_cross_entropy", {"epoch": EPOCHS})) for task in CURVES],
        surrogate(Scenario(folder, "rbv2_xgboost", "12", "logloss", whole_set)),
        surrogate(Scenario(folder, "rbv2_xgboost", "1053", "auc", whole_set, sign=-1)),
    ]


@dataclass(frozen=True)
class Scenario:
    """A model, a data set of its, and what is minimised: `sign` times `output`."""

    folder: Path
    name: str
    task: str
    output: str
    fixed: Mapping[str, Value]
    sign: int = 1

    @property
    def inputs(self) -> Inputs:
        return INPUTS[self.name]

    def losses(self, points: Sequence[Mapping[str, Value]]) -> list[float]:
        task = {self.inputs.choices[0]: self.task}
        rows = predict(self.folder, self.name, [{**self.fixed, **point, **task} for point in points])
        place = self.inputs.outputs.index(self.output)
        return [self.sign * float(row[place]) for row in rows]

    def space(self) -> Space:
        content = json.loads((self.folder / self.name / "config_space.json").read_text(encoding="utf-8"))
        conditions = {
            item["child"]: when(item["parent"], *(item.get("values") or [item["value"]]))
            for item in content["conditions"]
        }
        left_out = {self.inputs.choices[0], *self.fixed}
        return space(
            *[
                _parameter(item, when=conditions.get(item["name"], ()))
                for item in content["hyperparameters"]
                if item["name"] not in left_out
            ]
        )


def surrogate(scenario: Scenario) -> Problem:
    def given(point: Point) -> Given:
        return Given(scenario.losses([point]))

    session(scenario.folder, scenario.name)  # what is missing is said now
    return Problem(f"{scenario.name}-{scenario.task}", "surrogate", scenario.space(), given)


@dataclass(frozen=True)
class Curve:
    """Training runs of LCBench, epoch by epoch."""

    scenario: Scenario
    space: Space

    def losses(self, point: Point) -> list[float]:
        return self.scenario.losses([{**point, "epoch": epoch} for epoch in range(1, EPOCHS + 1)])


def curve(folder: Path, task: str) -> Curve:
    scenario = Scenario(folder, "lcbench", task, "val_cross_entropy", {"epoch": EPOCHS})
    session(folder, scenario.name)
    return Curve(scenario, scenario.space())


def _parameter(item: Mapping[str, Any], **more: Any) -> Parameter:
    if item["type"] == "categorical":
        return choice(item["name"], item["choices"], **more)
    make = whole if item["type"] == "uniform_int" else real
    return make(item["name"], item["lower"], item["upper"], item["log"], **more)


@functools.lru_cache(None)
def session(folder: Path, name: str) -> tuple[Any, Mapping[str, Mapping[str, int]]]:
    """The model, on one thread, and the numbers of its choices."""
    encoding = json.loads((folder / name / "encoding.json").read_text(encoding="utf-8"))
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(folder / name / "model.onnx")
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"]), encoding


def predict(folder: Path, name: str, rows: Sequence[Mapping[str, Value]]) -> Sequence[Sequence[float]]:
    numpy = importlib.import_module("numpy")
    model, encoding = session(folder, name)
    inputs = INPUTS[name]
    choices = [[encoding[key].get(str(row.get(key, "#na#")), 0) for key in inputs.choices] for row in rows]
    values = [[float(row.get(key, 0)) for key in inputs.numbers] for row in rows]
    first, second = (item.name for item in model.get_inputs())
    given = {first: numpy.array(choices, numpy.int32), second: numpy.array(values, numpy.float32)}
    answer: Sequence[Sequence[float]] = model.run([model.get_outputs()[0].name], given)[0]
    return answer
