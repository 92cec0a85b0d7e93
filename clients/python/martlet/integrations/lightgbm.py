"""LightGBM: `lightgbm.train(…, valid_sets=[…], callbacks=[MartletCallback()])`. It asks for nothing of LightGBM's."""

from __future__ import annotations

from typing import Any, Optional

from martlet._run import Run
from martlet._table import Table
from martlet.integrations._common import goals, guarded, run_of, settings


class MartletCallback:
    """A row a boosting round: `<data>/<metric>` of each evaluation. Parameters go into the configuration. After the
    training, `log_model` adds the best round and the importance of features."""

    order = 15  # after LightGBM's own printing (10), before early stopping (30), which leaves by an exception
    before_iteration = False

    def __init__(self, run: Optional[Run] = None, **init: Any) -> None:
        self._given, self._init = run, init
        self._known: set[str] = set()
        self.run: Optional[Run] = None

    @guarded()
    def __call__(self, env: Any) -> None:
        if self.run is None:
            self.run = run_of(self._given, **self._init)
            self.run.config.update({"lightgbm": settings(env.params or {})})
        row: dict[str, Any] = {"round": env.iteration}
        for data, metric, value, is_higher_better, *deviation in env.evaluation_result_list or []:
            name = f"{data}/{metric}"
            goals(self.run, [name], self._known, bool(is_higher_better))
            row[name] = value
            if deviation:  # of the folds of `cv`
                row[f"{name}-std"] = deviation[0]
        self.run.log(row)


@guarded()
def log_model(model: Any, run: Optional[Run] = None, *, importance: str = "gain") -> None:
    """Of a trained Booster, or an estimator: its best round, best scores, and the importance of its features."""
    run = run_of(run)
    booster = getattr(model, "booster_", model)
    if booster.best_iteration and booster.best_iteration > 0:
        run.summary["best_iteration"] = booster.best_iteration
    for data, metrics in booster.best_score.items():
        run.summary.update({f"best/{data}/{metric}": value for metric, value in metrics.items()})
    scores = zip(booster.feature_name(), booster.feature_importance(importance_type=importance).tolist())
    rows = sorted(([name, score] for name, score in scores), key=lambda row: -row[1])
    run.log({"importance": Table(["feature", importance], rows)})
