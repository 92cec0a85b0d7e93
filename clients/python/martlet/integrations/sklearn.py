"""scikit-learn: what a fitted estimator, or a search for one, has come to."""

from __future__ import annotations

from typing import Any, Optional

from sklearn import metrics
from sklearn.base import is_classifier, is_regressor

from martlet._run import Run
from martlet._table import Table
from martlet.integrations._common import guarded, run_of

MOST_CLASSES = 200  # of which a confusion matrix is kept


@guarded(otherwise={})
def log_estimator(
    estimator: Any, features: Any, truth: Any, *, run: Optional[Run] = None, prefix: str = "test/"
) -> dict[str, float]:
    """Its parameters as configuration, and how well it does on these data: accuracy, balanced accuracy, F1, the area
    under the curve and the log loss of a classifier, with its confusion matrix; R², errors of a regressor. Also the
    importance of its features. Returns the measures."""
    run = run_of(run)
    run.config.update({"estimator": type(estimator).__name__, **_parameters(estimator)})
    answers = estimator.predict(features)
    found: dict[str, float] = {}
    row: dict[str, Any] = {}
    if is_classifier(estimator):
        found = _of_classes(estimator, features, truth, answers)
        names = sorted({str(label) for label in (*truth, *answers)})
        if len(names) <= MOST_CLASSES:
            labels = sorted(set(truth) | set(answers))
            matrix = metrics.confusion_matrix(truth, answers, labels=labels).tolist()
            rows = [[str(label), *counts] for label, counts in zip(labels, matrix)]
            row[f"{prefix}confusion"] = Table(["truth", *map(str, labels)], rows)
    elif is_regressor(estimator):
        found = {
            "r2": metrics.r2_score(truth, answers),
            "mae": metrics.mean_absolute_error(truth, answers),
            "rmse": metrics.mean_squared_error(truth, answers) ** 0.5,
        }
    importance = _importance(estimator, features)
    if importance:
        row["importance"] = importance
    found = {f"{prefix}{name}": float(value) for name, value in found.items()}
    run.log({**found, **row})
    return found


@guarded()
def log_search(search: Any, *, run: Optional[Run] = None) -> None:
    """A fitted GridSearchCV, RandomizedSearchCV or the like: a table of all candidates, and the best one."""
    run = run_of(run)
    results = search.cv_results_
    names = sorted({name for parameters in results["params"] for name in parameters})
    rows = [
        [*(_plain(parameters.get(name)) for name in names), float(mean), float(deviation), int(rank)]
        for parameters, mean, deviation, rank in zip(
            results["params"],
            results.get("mean_test_score", ()),
            results.get("std_test_score", ()),
            results.get("rank_test_score", ()),
        )
    ]
    run.log({"candidates": Table([*names, "mean score", "standard deviation", "rank"], rows)})
    run.summary["best_score"] = float(search.best_score_)
    run.config.update({f"best_{name}": _plain(value) for name, value in search.best_params_.items()})


def _of_classes(estimator: Any, features: Any, truth: Any, answers: Any) -> dict[str, float]:
    found = {
        "accuracy": metrics.accuracy_score(truth, answers),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, answers),
        "f1": metrics.f1_score(truth, answers, average="macro"),
    }
    if hasattr(estimator, "predict_proba"):
        chances = estimator.predict_proba(features)
        if len(set(truth)) == len(estimator.classes_):  # else neither is defined
            found["log_loss"] = metrics.log_loss(truth, chances, labels=estimator.classes_)
            one = chances[:, 1] if chances.shape[1] == 2 else chances
            found["roc_auc"] = metrics.roc_auc_score(truth, one, multi_class="ovr", labels=estimator.classes_)
    return found


def _importance(estimator: Any, features: Any) -> Optional[Table]:
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    scores = getattr(last, "feature_importances_", None)
    if scores is None:
        return None
    names = getattr(last, "feature_names_in_", None)
    if names is None:
        names = getattr(features, "columns", None)
    named: Any = (
        [f"f{i}" for i in range(len(scores))] if names is None or len(names) != len(scores) else map(str, names)
    )
    rows = sorted(([name, float(score)] for name, score in zip(named, scores)), key=lambda row: -float(row[1]))
    return Table(["feature", "importance"], rows)


def _parameters(estimator: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in estimator.get_params(deep=True).items()}


def _plain(value: Any) -> Any:
    """Estimators among the parameters by their names."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", 0) == 1:
        return item()
    return type(value).__name__ if hasattr(value, "get_params") else str(value)[:200]
