"""Fills a Martlet store: over its API, and with many runs at once in its file while the server is down."""

from __future__ import annotations

import contextlib
import os
import sqlite3

from tracking import api, bodies
from tracking.bodies import Rows

BATCH = 5_000  # rows, as many as the client's sender puts into one request
NOT_COPIED = ("token", "trial")  # they belong to one run alone


def log(connection: api.Connection, run: str, rows: Rows, client: str) -> None:
    """Rows of a client that has logged nothing yet, as JSON lines."""
    for body in bodies.of(rows, bodies.JSON_LINES, BATCH):
        connection.request("POST", f"/runs/{run}/log?client={client}", body, media=api.LINES)


def create(connection: api.Connection, name: str) -> str:
    config = {"lr": 0.001, "batch_size": 64, "optimizer": "adamw", "layers": 12, "dropout": 0.1}
    return str(connection.post("/runs", {"project": "bench", "name": name, "config": config})["id"])


def ended_run(connection: api.Connection, name: str, rows: Rows) -> str:
    """A run that logged these rows and ended; its id."""
    run = create(connection, name)
    log(connection, run, rows, f"client-of-{name}")
    connection.post(f"/runs/{run}/finish", {})
    return run


def copy_run(data: str, run: str, copies: int) -> None:
    """So many more of one run, with everything that belongs to it, straight in the file of a stopped server."""
    with contextlib.closing(sqlite3.connect(os.path.join(data, "martlet.db"))) as database, database:
        template, last = database.execute(
            "SELECT id, (SELECT max(id) FROM run) FROM run WHERE public_id = ?", (run,)
        ).fetchone()
        changes = {"id": "? + n.i", "public_id": "printf('%08d', n.i)", "name": "printf('run-%06d', n.i)"}
        _copy(database, "run", "id", template, changes, last, copies)
        for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if "run_id" in _columns(database, table) and table not in NOT_COPIED:
                _copy(database, table, "run_id", template, {"id": "NULL", "run_id": "? + n.i"}, last, copies)


def _copy(
    database: sqlite3.Connection, table: str, key: str, of: int, changes: dict[str, str], last: int, copies: int
) -> None:
    """Each row of `table` whose `key` is `of`, once for each copy, with `changes` to its columns; the one `?` in them
    stands for the highest row id of a run so far."""
    columns = _columns(database, table)
    taken = ", ".join(changes.get(column, f'source."{column}"') for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        f"INSERT INTO {table} ({named}) SELECT {taken} FROM n, {table} AS source WHERE source.{key} = ?",
        (copies, last, of),
    )


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [str(column[1]) for column in database.execute(f"PRAGMA table_info({table})")]
