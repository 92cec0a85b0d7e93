"""Finding runs: one page of many, filtered on a parameter and sorted by a metric's best, at any selectivity."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any, Optional
from urllib.parse import urlencode

from tracking import api, bodies, seeding, systems
from tracking.figures.queries import timed
from tracking.options import Options
from tracking.report import Column, Record, Report, find, medians, ratio
from tracking.service import Service

SECTION = "runs"
PARAMETERS, METRICS, PAGE = 10, 5, 100
SELECTIVITIES = (0.5, 0.05, 0.005, 0.0005)
FEW = 10_000  # runs of the smaller store, and of MLflow's
SORTED, NEWEST, COUNTED = "sorted by best", "newest", "counted"


def measure(options: Options, report: Report, scratch: str) -> None:
    for runs in dict.fromkeys((options.runs, min(FEW, options.runs))):
        with report.cell(f"runs, martlet, {runs:,}"), Service(systems.named("martlet"), scratch) as service:
            martlet(service, runs, options, report)
    if "mlflow" in options.peers and not systems.named("mlflow").missing():
        with report.cell("runs, mlflow"), Service(systems.named("mlflow"), scratch) as service:
            mlflow(service, min(FEW, options.runs), report)
    show(options, report)


def martlet(service: Service, runs: int, options: Options, report: Report) -> None:
    service.start()
    connection = service.api()
    template = connection.post(
        "/runs",
        {
            "project": "bench",
            "name": "template",
            "config": {f"p{number}": 0.5 for number in range(PARAMETERS)},
            "metrics": {"m*": {"goal": "minimize"}},
        },
    )["id"]
    rows = bodies.Rows([f"m{number}" for number in range(METRICS)], [0], [1_790_000_000_000_000], [[0.5]] * METRICS)
    seeding.log(connection, template, rows, "benchmark-1")
    connection.post(f"/runs/{template}/finish", {})
    service.settle()
    service.stop()
    seeding.copy_run(service.place.data, template, runs - 1)
    spread(service.place.data)
    service.start()
    connection = service.api()
    asked: dict[str, dict[str, Any]] = {
        f"p0 < {part:g}": {"q": f"p0<{part}", "sort": "m0.best"} for part in SELECTIVITIES
    }
    asked[SORTED] = {"sort": "m0.best"}
    asked[NEWEST] = {}
    for _ in range(options.repetitions):
        for query, parameters in asked.items():
            path = "/runs?" + urlencode({"project": "bench", "limit": PAGE, **parameters})
            check(connection.get(path)["items"], parameters, runs)
            record = timed(lambda path=path: connection.request("GET", path), service.pid)  # type: ignore[misc]
            report.add(SECTION, {"system": "martlet", "runs": runs, "query": query, **record})
        path = "/runs/count?" + urlencode({"project": "bench", "q": "p0<0.05"})
        record = timed(lambda path=path: connection.request("GET", path), service.pid)  # type: ignore[misc]
        report.add(SECTION, {"system": "martlet", "runs": runs, "query": COUNTED, **record})


def check(items: list[Any], parameters: dict[str, Any], runs: int) -> None:
    """The page is as long, as sorted and as filtered as it was asked for."""
    if "q" in parameters:
        bound = float(parameters["q"].partition("<")[2])
        if any(item["config"]["p0"] >= bound for item in items):
            raise RuntimeError(f"{parameters['q']} brought a run of which it does not hold")
        enough = runs * bound > 2 * PAGE
    else:
        enough = runs >= PAGE
    if enough and len(items) != PAGE:
        raise RuntimeError(f"{parameters} brought {len(items)} runs instead of {PAGE}")
    best = [item["summary"]["m0"]["best"] for item in items]
    if "sort" in parameters and best != sorted(best):
        raise RuntimeError(f"{parameters} brought runs out of order")


def spread(data: str) -> None:
    """Gives each run values of its own, evenly between 0 and 1 and independent of each other, in the file of a stopped
    server."""
    place = "((({run} * 2654435761 + {key} * 40503) * 48271 % 2147483647 * 69621 % 2147483647) / 2147483647.0)"
    metric = place.format(run="run_id", key="(key_id + 100)")
    with contextlib.closing(sqlite3.connect(os.path.join(data, "martlet.db"))) as database, database:
        database.execute(f"UPDATE config_value SET value = {place.format(run='run_id', key='key_id')}")
        database.execute(f"UPDATE metric_summary SET last = {metric}, min = {metric}, max = {metric}, best = {metric}")
        database.execute(
            "UPDATE run SET config = (SELECT json_group_object(path, value) FROM config_value"
            " JOIN config_key ON config_key.id = key_id WHERE run_id = run.id)"
        )


# MARK: MLflow


def mlflow(service: Service, runs: int, report: Report) -> None:
    """Its parameters are texts, so that the filter is on a metric."""
    service.start()
    connection = api.Connection(service.place.port)
    base = "/api/2.0/mlflow"
    experiment = connection.post(f"{base}/experiments/create", {"name": "bench"})["experiment_id"]
    run = connection.post(f"{base}/runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"][
        "run_id"
    ]
    connection.post(
        f"{base}/runs/log-batch",
        {
            "run_id": run,
            "params": [{"key": f"p{number}", "value": "0.5"} for number in range(PARAMETERS)],
            "metrics": [{"key": f"m{number}", "value": 0.5, "timestamp": 1, "step": 0} for number in range(METRICS)],
        },
    )
    service.stop()
    copy_mlflow(service.place.data, run, runs - 1)
    service.start()
    connection = api.Connection(service.place.port)
    for query, wanted in ((SORTED, None), ("m1 < 0.05", "metrics.m1 < 0.05")):
        body: dict[str, Any] = {
            "experiment_ids": [experiment],
            "max_results": PAGE,
            "order_by": ["metrics.m0 ASC"],
        }
        if wanted:
            body["filter"] = wanted
        found = connection.post(f"{base}/runs/search", body).get("runs", [])
        if len(found) != PAGE:
            raise RuntimeError(f"MLflow brought {len(found)} runs instead of {PAGE}")
        record = timed(
            lambda body=body: connection.request("POST", f"{base}/runs/search", body),  # type: ignore[misc]
            service.pid,
        )
        report.add(SECTION, {"system": "mlflow", "runs": runs, "query": query, **record})


def copy_mlflow(data: str, run: str, copies: int) -> None:
    with contextlib.closing(sqlite3.connect(os.path.join(data, "mlflow.db"))) as database, database:
        for table in ("runs", "params", "latest_metrics", "metrics", "tags"):
            columns = [str(column[1]) for column in database.execute(f"PRAGMA table_info({table})")]
            taken = []
            for column in columns:
                if column == "run_uuid":
                    taken.append("printf('%032x', n.i)")
                elif column == "value" and table in ("latest_metrics", "metrics"):
                    taken.append("((n.i * 2654435761 + length(key) + unicode(substr(key, 2))) % 1000003) / 1000003.0")
                else:
                    taken.append(f'source."{column}"')
            named = ", ".join(f'"{column}"' for column in columns)
            database.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                f"INSERT INTO {table} ({named}) SELECT {', '.join(taken)} FROM n, {table} source "
                "WHERE source.run_uuid = ?",
                (copies, run),
            )


def show(options: Options, report: Report) -> None:
    found = medians(report.records(SECTION), ("system", "runs", "query"))
    for record in found:
        peer = find(found, system="mlflow", runs=record["runs"], query=record["query"])
        record["ratio"] = ratio(peer["wall"], record["wall"]) if peer and peer is not record else None
    report.title(
        f"finding runs: a page of {PAGE}, with {PARAMETERS} parameters and {METRICS} metrics each",
        "p0 < x: filtered on a parameter, of whose runs the part x is left, and sorted by a metric's best",
        "MLflow's parameters are texts: its filter is on a metric; ratio: its time by ours",
    )
    report.table(COLUMNS, found)

    def wall(runs: int, query: str) -> Optional[float]:
        record: Optional[Record] = find(found, system="martlet", runs=runs, query=query)
        return record["wall"] if record else None

    for part in SELECTIVITIES:
        report.at_most(f"{options.runs:,} runs, p0 < {part:g}, by best, ms", wall(options.runs, f"p0 < {part:g}"), 20)
    report.at_most(f"{options.runs:,} runs, first page, ms", wall(options.runs, NEWEST), 100)
    report.at_most(f"{FEW:,} runs sorted by a metric, ms", wall(min(FEW, options.runs), SORTED), 10)


COLUMNS = (
    Column("system", "system"),
    Column("runs", "runs"),
    Column("query", "query"),
    Column("ms", "wall"),
    Column("p95 ms", "p95"),
    Column("CPU ms", "cpu"),
    Column("bytes", "bytes"),
    Column("ratio", "ratio"),
)
