"""torchmetrics: what a metric, or a collection of them, has come to. It asks for nothing of torchmetrics'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from martlet._run import Run
from martlet.integrations._common import goals, guarded, run_of

MOST_PARTS = 100  # of a vector that become metrics of their own, one a class

_known: set[str] = set()


@guarded(otherwise={})
def log_metrics(
    metric: Any, *, run: Optional[Run] = None, step: Optional[int] = None, prefix: str = "", reset: bool = False
) -> dict[str, Any]:
    """Computes a Metric or a MetricCollection and logs a row: numbers as they are, a value a class as `name/0`,
    `name/1`, …, matrices (a confusion matrix, say) as they are. Which way is better is told once. Returns the row.

    `reset`: the metric begins anew afterwards.
    """
    run = run_of(run)
    values = metric.compute()
    parts = dict(metric.items()) if hasattr(metric, "items") else {}
    if not isinstance(values, Mapping):
        values = {type(metric).__name__: values}
        parts = {type(metric).__name__: metric}
    row: dict[str, Any] = {}
    for name, value in values.items():
        found = dict(_flat(f"{prefix}{name}", value))
        goal = getattr(parts.get(name), "higher_is_better", None)
        if goal is not None:
            goals(run, [part for part, number in found.items() if not isinstance(number, list)], _known, bool(goal))
        row.update(found)
    run.log(row, step)
    if reset:
        metric.reset()
    return row


def _flat(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{name}/{key}", item)
        return
    plain = value.detach().cpu().tolist() if hasattr(value, "detach") else value
    if isinstance(plain, (list, tuple)) and len(plain) <= MOST_PARTS and not any(_is_list(item) for item in plain):
        for at, item in enumerate(plain):
            yield f"{name}/{at}", item
    else:
        yield name, plain


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or bool(getattr(value, "ndim", 0))
