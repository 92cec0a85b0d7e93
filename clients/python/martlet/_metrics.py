"""`define_metric`: what may be said of a metric."""

from __future__ import annotations

from typing import Any, Optional

from martlet._values import Unloggable, name_of

SUMMARIES = ("last", "min", "max", "mean", "best", "none")
GOALS = ("minimize", "maximize")


def definition(
    name: Any, summary: Any, step_metric: Any, goal: Any, hidden: Optional[bool]
) -> dict[str, dict[str, Any]]:
    """The member `metrics` of PATCH /runs/:run. Raises ValueError for what it cannot hold."""
    name = name_of(name)
    if "*" in name[:-1]:
        raise Unloggable(f"a '*' stands only at the end of a name, not as in {name!r}")
    said: dict[str, Any] = {}
    for key, value, allowed in (("summary", summary, SUMMARIES), ("goal", goal, GOALS)):
        if value is None:
            continue
        if value not in allowed:
            raise Unloggable(f"{key} is one of {', '.join(allowed)}, not {value!r}")
        said[key] = value
    if step_metric is not None:
        said["step_metric"] = name_of(step_metric)
    if hidden is not None:
        said["hidden"] = bool(hidden)
    return {name: said}
