"""What the integrations share: the run, names of metrics, and that nothing of theirs ends a training."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar

import martlet
from martlet._delivery import warn
from martlet._run import Run
from martlet._secrets import is_secret_name, is_secret_value
from martlet._values import words

T = TypeVar("T")


def run_of(given: Optional[Run], **init: Any) -> Run:
    """The run that was given, or is active; else a new one."""
    if given is not None:
        return given
    active = martlet._active
    if active is not None and not active._finished:
        return active
    return martlet.init(**init)


def guarded(otherwise: Any = None) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """What a callback of ours raises is said once, and the training goes on with what it returns instead."""

    def around(method: Callable[..., T]) -> Callable[..., T]:
        said: set[str] = set()

        @functools.wraps(method)
        def guard(*given: Any, **named: Any) -> T:
            try:
                return method(*given, **named)
            except Exception as error:
                told = f"{method.__qualname__}: {type(error).__name__}: {words(error)}"
                if told not in said and len(said) < 10:
                    said.add(told)
                    warn(told)
                return otherwise  # type: ignore[no-any-return]

        return guard

    return around


def settings(given: Any) -> dict[str, Any]:
    """Arguments of a library as configuration, without its tokens."""
    items = given.items() if isinstance(given, Mapping) else vars(given).items()
    kept = {}
    for key, value in items:
        name = str(key)
        if isinstance(value, str) and value and (is_secret_name(name) or is_secret_value(value)):
            continue
        if callable(value) and not isinstance(value, type):
            continue
        kept[name] = value
    return kept


def goals(run: Run, names: Iterable[str], known: set[str], is_higher_better: Optional[bool] = None) -> None:
    """Tells once of each metric which way is better, where its name or the library says so."""
    for name in names:
        if name not in known:
            known.add(name)
            goal = goal_of(name) if is_higher_better is None else ("maximize" if is_higher_better else "minimize")
            if goal:
                run.define_metric(name, goal=goal)


def goal_of(name: str) -> Optional[str]:
    """By what metrics are usually called; None where the name does not tell."""
    last = name.replace("-", "_").lower().rsplit("/", 1)[-1]
    parts = {part for part in last.split("_") if part}
    if parts & {"loss", "error", "err", "rmse", "mse", "mae", "logloss", "merror", "mape", "rmsle", "cer", "wer"}:
        return "minimize"
    if parts & {"acc", "accuracy", "auc", "f1", "precision", "recall", "map", "ndcg", "iou", "bleu", "aucpr", "r2"}:
        return "maximize"
    return None
