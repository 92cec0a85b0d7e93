"""What a store holds, read back over the API: whole rows in the order in which they came."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from tracking.logged import NOT_IN_JSON, Row
from tracking.server import Server, Unexpected

PAGE = 10_000  # rows of one answer
POINTS = 20_000  # … points
COMPARED = ("n", "loss", "strange")  # metrics whose series must be what the rows are; all are counted


def runs(server: Server, project: str = "crash") -> dict[str, list[dict[str, Any]]]:
    """The project's runs by name. A name may have several: a server that was killed between the commit and the answer
    of `POST /runs` leaves an empty one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in server.items("/runs", project=project):
        found.setdefault(run["name"], []).append(run)
    return found


def rows(server: Server, run: str) -> Iterator[Row]:
    """Every row of a run, in the order of arrival."""
    after = ""
    while True:
        answer = server.request("GET", f"/runs/{run}/history?limit={PAGE}{after}")
        if answer.status != 200:
            raise Unexpected(f"the history of {run} was answered with {answer.status}: {answer.data[:400]!r}")
        for line in answer.data.splitlines():
            row = json.loads(line, parse_int=whole)
            yield Row(row["step"], row["values"])
        following = {name.lower(): value for name, value in answer.headers.items()}.get("martlet-next")
        if not following:
            return
        after = f"&after={following}"


def stored(server: Server, runs_of_a_name: list[dict[str, Any]]) -> tuple[list[Row], list[str]]:
    """The rows of these runs, and where summaries and series disagree with them."""
    found: list[Row] = []
    faults: list[str] = []
    for run in runs_of_a_name:
        of_run = list(rows(server, run["id"]))
        faults += [f"{run['name']}: {fault}" for fault in disagreements(server, run, of_run)]
        found += of_run
    return found, faults


def whole(text: str) -> Any:
    return -0.0 if text == "-0" else int(text)


class Line(NamedTuple):
    """One metric's points as charts show them."""

    steps: list[int]
    values: list[float]


def series(server: Server, run: str, keys: Optional[list[str]] = None) -> dict[str, Line]:
    """The raw series of a run's metrics; window after window where there are more points than one answer takes."""
    body = {"runs": [run], "keys": keys, "buckets": POINTS}
    found: dict[str, Line] = {}
    for line in server.get("/series", body)["series"]:
        name = line["key"]
        if line["kind"] == "raw":
            found[name] = Line(line["steps"], [number(value) for value in line["values"]])
        else:
            first, last = line["steps"][0], server.get(f"/runs/{run}")["summary"][name]["last_step"]
            found[name] = _window(server, run, name, first, last)
    return found


def _window(server: Server, run: str, name: str, first: int, last: int) -> Line:
    body = {"runs": [run], "keys": [name], "buckets": POINTS, "from_step": first, "to_step": last}
    lines = server.get("/series", body)["series"]
    if not lines:
        return Line([], [])
    if lines[0]["kind"] == "raw":
        return Line(lines[0]["steps"], [number(value) for value in lines[0]["values"]])
    middle = (first + last) // 2
    left, right = _window(server, run, name, first, middle), _window(server, run, name, middle + 1, last)
    return Line(left.steps + right.steps, left.values + right.values)


def number(value: Any) -> float:
    return NOT_IN_JSON[value] if isinstance(value, str) else float(value)


def disagreements(server: Server, run: dict[str, Any], found: list[Row]) -> list[str]:
    """Where summaries, counters and series say something else than the rows."""
    faults = []
    latest: dict[str, dict[int, float]] = {}
    counts: Counter[str] = Counter()
    for row in found:
        for name, value in row.values.items():
            # Texts that look like numbers are none here: no trainer logs "NaN" as a text.
            if type(value) in (int, float) or (isinstance(value, str) and value in NOT_IN_JSON):
                latest.setdefault(name, {})[row.step] = number(value)
                counts[name] += 1
    summary = {name: entry for name, entry in run["summary"].items() if "count" in entry}
    for name in sorted(latest.keys() | summary.keys()):
        said = summary.get(name, {"count": 0})
        if said["count"] != counts[name]:
            faults.append(f"{name}: the summary counts {said['count']} points, the rows have {counts[name]}")
    compared = {name: points for name, points in latest.items() if name in COMPARED}
    shown = series(server, run["id"], list(compared)) if compared else {}
    for name, points in compared.items():
        steps = sorted(points)
        wanted = Line(steps, [points[step] for step in steps])
        if repr(shown.get(name)) != repr(wanted):
            faults.append(f"{name}: the series differs from the rows")
    return faults
