"""XGBoost: `xgboost.train(…, evals=[…], callbacks=[MartletCallback()])`."""

from __future__ import annotations

from typing import Any, Optional

import xgboost

from martlet._run import Run
from martlet._table import Table
from martlet.integrations._common import goals, guarded, run_of, settings


class MartletCallback(xgboost.callback.TrainingCallback):
    """A row a boosting round: `<data>/<metric>` of each evaluation. Settings of the booster go into the configuration,
    the importance of features into a table, the best round into the summary. A run that is asked to stop ends its
    training after the round."""

    def __init__(self, run: Optional[Run] = None, *, importance: str = "gain", **init: Any) -> None:
        super().__init__()
        self._given, self._init = run, init
        self._importance = importance
        self._known: set[str] = set()
        self.run: Optional[Run] = None

    def before_training(self, model: Any) -> Any:
        self._begin(model)
        return model

    @guarded(otherwise=False)
    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        if self.run is None:
            return False
        row: dict[str, Any] = {}
        for data, metrics in evals_log.items():
            for metric, values in metrics.items():
                last = values[-1]
                mean, deviation = last if isinstance(last, tuple) else (last, None)
                row[f"{data}/{metric}"] = mean
                if deviation is not None:  # of the folds of `cv`
                    row[f"{data}/{metric}-std"] = deviation
        goals(self.run, row, self._known)
        self.run.log({"round": epoch, **row})
        return self.run.stopping

    def after_training(self, model: Any) -> Any:
        self._end(model)
        return model

    @guarded()
    def _begin(self, model: Any) -> None:
        import json

        run = self.run = run_of(self._given, **self._init)
        if hasattr(model, "save_config"):
            learner = json.loads(model.save_config())["learner"]
            booster = learner.get("gradient_booster", {})
            told = {**booster.get("tree_train_param", {}), "booster": booster.get("name")}
            told["objective"] = learner.get("objective", {}).get("name")
            run.config.update({"xgboost": settings({key: _number(value) for key, value in told.items()})})

    @guarded()
    def _end(self, model: Any) -> None:
        if self.run is None:
            return
        attributes = model.attributes() if hasattr(model, "attributes") else {}
        if "best_iteration" in attributes:
            best = {"best_iteration": int(attributes["best_iteration"]), "best_score": float(attributes["best_score"])}
            self.run.summary.update(best)
        if hasattr(model, "get_score"):
            score = model.get_score(importance_type=self._importance)
            rows = sorted(score.items(), key=lambda item: -float(item[1]))
            if rows:
                self.run.log({"importance": Table(["feature", self._importance], [list(row) for row in rows])})


def _number(value: Any) -> Any:
    """XGBoost tells its settings as texts."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else number
