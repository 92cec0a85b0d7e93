"""`martlet.Api`: reads runs and their histories from a server, and changes what may be changed of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, Optional, TypeVar, Union
from urllib.parse import quote, urlencode

from martlet._connection import SERIES, Answer, Connection, Refused, Unreachable
from martlet._create import path_of
from martlet._credentials import Credentials, NoServer, find
from martlet._frame import Series, decode
from martlet._stored import StoredRun

PATIENCE = 10.0  # seconds for which a server that does not answer (it restarts, say) is tried again
PAGE = 200  # runs
MOST_RUNS = 1_000  # of one request for series, the server's limit

T = TypeVar("T")
Names = Union[str, Iterable[str], None]


class Api:
    """A server as a reader sees it: MARTLET_URL's, or the one that is up on the data directory, unless `url` says.

    Any thread may use it. Raises `martlet.Refused` where the server says no, `martlet.Unreachable` where it does not
    answer for `patience` seconds.
    """

    def __init__(
        self, url: Optional[str] = None, token: Optional[str] = None, *, timeout: float = 60, patience: float = PATIENCE
    ) -> None:
        self._given = url and url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._patience = patience
        self._lock = threading.RLock()
        self._connection: Optional[Connection] = None

    def runs(
        self,
        project: Optional[str] = None,
        *,
        filter: Optional[str] = None,  # noqa: A002
        state: Union[str, Iterable[str], None] = None,
        search: Optional[str] = None,
        sort: str = "-created",
        sweep: Optional[str] = None,
        archived: Optional[str] = None,
        deleted: bool = False,
    ) -> Runs:
        """Runs, newest first unless `sort` says otherwise, read page by page as they are walked through.

        `filter`: as in the dashboard, such as "lr > 0.01 and val/loss.min < 0.3 and tag:baseline" (docs/filter.md).
        `state`: one or several, such as "finished". `search`: a part of the name. `sort`: any field of the filter
        language (created, name, lr, val/loss.min, …), with - before it for descending; runs without it come last.
        `archived`: "true" for those alone, "any" for them as well. `deleted`: those in the trash. Without `project`:
        of all projects.
        """
        wanted = {
            "project": project,
            "q": filter,
            "state": state if state is None or isinstance(state, str) else ",".join(state),
            "search": search,
            "sort": sort,
            "sweep": sweep,
            "archived": archived,
            "deleted": "true" if deleted else None,
        }
        return Runs(self, {key: value for key, value in wanted.items() if value is not None})

    def count(self, project: Optional[str] = None, *, filter: Optional[str] = None) -> dict[str, Any]:  # noqa: A002
        """How many runs there are: `total`, and `states` with a number each."""
        return self.ask("GET", f"/runs/count{_query(project=project, q=filter)}")

    def groups(
        self,
        project: Optional[str] = None,
        *,
        by: Union[str, Iterable[str]],
        values: Names = None,
        filter: Optional[str] = None,  # noqa: A002
        sort: Optional[str] = None,
    ) -> Iterator[dict[str, Any]]:
        """Runs in groups of equal fields. Each has its `key` (a value a field, None where runs have none), the
        `filter` that selects its runs, `count`, `states`, and of each of `values` (such as "val/loss.min") the count,
        mean, sd, se, ci95, min, quartiles and max."""
        asked = {
            "project": project,
            "q": filter,
            "by": ",".join(names_of(by) or []),
            "values": ",".join(names_of(values) or []) or None,
            "sort": sort,
        }
        return self.pages("/runs/groups", {key: value for key, value in asked.items() if value is not None})

    def fields(self, project: Optional[str] = None, *, search: Optional[str] = None) -> dict[str, Any]:
        """The names that a filter may use: `config`, `metrics`, `derived`, `attributes`."""
        return self.ask("GET", f"/fields{_query(project=project, search=search)}")

    def alerts(self, project: Optional[str] = None) -> Iterator[dict[str, Any]]:
        """The alerts of all runs."""
        return self.pages("/alerts", {} if project is None else {"project": project})

    def derived(self, project: str) -> list[dict[str, Any]]:
        """The metrics that are computed of others: `name`, `expression`, `description`, `goal`."""
        return list(self.ask("GET", f"/projects/{quote(project, safe='')}/derived").get("items", []))

    def define_derived(
        self, project: str, name: str, expression: str, *, description: str = "", goal: Optional[str] = None
    ) -> dict[str, Any]:
        """Defines one, such as `define_derived("digits", "gap", "val/loss - train/loss", goal="minimize")`."""
        body = {"name": name, "expression": expression, "description": description or None, "goal": goal}
        given = {key: value for key, value in body.items() if value is not None}
        return self.ask("PUT", f"/projects/{quote(project, safe='')}/derived", given)

    def remove_derived(self, project: str, name: str) -> None:
        """Takes one back."""
        self.ask("DELETE", f"/projects/{quote(project, safe='')}/derived{_query(name=name)}")

    def run(self, id: str) -> StoredRun:  # noqa: A002
        """One run by its id."""
        return StoredRun(self, self.ask("GET", path_of(id)))

    def projects(self) -> list[dict[str, Any]]:
        """All projects, as the server describes them."""
        return list(self.pages("/projects", {}))

    def series(
        self,
        runs: Iterable[Union[str, StoredRun]],
        keys: Names = None,
        *,
        buckets: int = 2000,
        from_step: Optional[int] = None,
        to_step: Optional[int] = None,
        ema: Optional[float] = None,
        x: Optional[str] = None,
        system: bool = False,
    ) -> list[Series]:
        """Metrics of several runs, each raw where the window has at most `buckets` points, else in so many buckets,
        which keep every minimum and maximum. `ema`: the weight of the past in a moving average of all points. `x`:
        another metric of the same rows as the axis. `system`: of the machine, by milliseconds. What is too much for
        one answer is asked for in several."""
        window = {"buckets": buckets, "from_step": from_step, "to_step": to_step, "ema": ema, "x": x}
        if system:
            window["system"] = True
        named = [run if isinstance(run, str) else run.id for run in runs]
        found: list[Series] = []
        for begin in range(0, len(named), MOST_RUNS):
            found += self._series(named[begin : begin + MOST_RUNS], names_of(keys), window)
        return found

    def _series(self, runs: list[str], keys: Optional[list[str]], window: Mapping[str, Any]) -> list[Series]:
        try:
            return self._series_at_once({"runs": runs, "keys": keys, **window})
        except Refused as refusal:
            # 422: too many points for one answer. Whatever else is wrong is wrong with a half of them as well.
            if refusal.status != 422 or (len(runs) == 1 and (keys is None or len(keys) < 2)):
                if refusal.status == 422 and keys is None and not window.get("system"):
                    names = sorted(self.run(runs[0]).aggregates)
                    if len(names) > 1:
                        return self._series(runs, names, window)
                raise
        if len(runs) > 1:
            half = len(runs) // 2
            return self._series(runs[:half], keys, window) + self._series(runs[half:], keys, window)
        assert keys is not None
        half = len(keys) // 2
        return self._series(runs, keys[:half], window) + self._series(runs, keys[half:], window)

    def _series_at_once(self, wanted: Mapping[str, Any]) -> list[Series]:
        body = json.dumps({key: value for key, value in wanted.items() if value is not None}).encode()
        headers = {"Content-Type": "application/json", "Accept": SERIES}
        return decode(self.exchange("POST", "/series", body, headers).data)

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Any route of docs/api.md: JSON in, JSON out. It is repeated where no answer comes."""
        return self._until(lambda server: server.request(method, path, body))

    def exchange(self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str]) -> Answer:
        """The same with bytes."""
        return self._until(lambda server: server.exchange(method, path, body, headers))

    def stream(self, path: str, take: Callable[[bytes], Any]) -> None:
        """Gives what GET answers to `take`, piece by piece. Not repeated once it has begun."""
        with self._lock:
            response = self._until(lambda server: server.stream(path))
            try:
                while piece := response.read(1 << 20):
                    take(piece)
            except OSError as error:
                raise Unreachable(f"the answer broke off: {error}") from error
            finally:
                if not response.isclosed() and self._connection:
                    self._connection.close()

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The items of a list, a page at a time."""
        cursor: Optional[str] = ""
        while cursor is not None:
            asked = {**query, "limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
            answer = self.ask("GET", f"{path}?{urlencode(asked, quote_via=quote)}")
            yield from answer.get("items", [])
            cursor = answer.get("next") or None

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<martlet.Api {self._connection.url if self._connection else self._given or ''}>"

    def _until(self, attempt: Callable[[Connection], T]) -> T:
        with self._lock:
            deadline, wait = time.monotonic() + self._patience, 0.05
            while True:
                try:
                    if self._connection is None:
                        known = self._credentials()
                        self._connection = Connection(known.url, known.token, self._timeout)
                    return attempt(self._connection)
                except Unreachable as failure:
                    self.close()  # a server that restarts may come back on another port
                    if time.monotonic() + wait > deadline:
                        raise
                    time.sleep(max(wait, min(failure.retry_after, deadline - time.monotonic())))
                    wait = min(2 * wait, 1.0)

    def _credentials(self) -> Credentials:
        if self._given:
            import os

            found = find({**os.environ, "MARTLET_URL": self._given})
        else:
            try:
                found = find()
            except NoServer as nowhere:
                raise Unreachable(str(nowhere)) from nowhere
        return found._replace(token=self._token) if self._token else found


class Runs(Sequence[StoredRun]):
    """The runs that were asked for. What was read is kept; `list(runs)` and `len(runs)` read all of them."""

    def __init__(self, api: Api, query: Mapping[str, str]) -> None:
        self._read: list[StoredRun] = []
        self._more = (StoredRun(api, item) for item in api.pages("/runs", query))

    def __iter__(self) -> Iterator[StoredRun]:
        at = 0
        while at < len(self._read) or self._next():
            yield self._read[at]
            at += 1

    def __getitem__(self, index: Any) -> Any:
        last = index.stop if isinstance(index, slice) else index
        if last is None or last < 0 or isinstance(index, slice):
            len(self)
        while last is not None and last >= len(self._read) and self._next():
            pass
        return self._read[index]

    def __len__(self) -> int:
        while self._next():
            pass
        return len(self._read)

    def _next(self) -> bool:
        run = next(self._more, None)
        if run is not None:
            self._read.append(run)
        return run is not None


def _query(**asked: Optional[str]) -> str:
    given = {name: value for name, value in asked.items() if value is not None}
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def names_of(keys: Names) -> Optional[list[str]]:
    """One name, several, or None for all."""
    return [keys] if isinstance(keys, str) else None if keys is None else list(keys)
