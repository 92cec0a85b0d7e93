"""`martlet.Api`: reads runs and their histories from a server, and changes what may be changed of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, Optional, TypeVar, Union
from urllib.parse import quote, urlencode

from martlet._connection import SERIES, Answer, Connection, Unreachable
from martlet._create import path_of
from martlet._credentials import Credentials, NoServer, find
from martlet._frame import Series, decode
from martlet._stored import StoredRun

PATIENCE = 10.0  # seconds for which a server that does not answer (it restarts, say) is tried again
PAGE = 200  # runs

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
        state: Union[str, Iterable[str], None] = None,
        search: Optional[str] = None,
        sort: str = "-created",
        sweep: Optional[str] = None,
        deleted: bool = False,
    ) -> Runs:
        """Runs, newest first unless `sort` says otherwise, read page by page as they are walked through.

        `state`: one or several, such as "finished". `search`: a part of the name. `sort`: created, name or
        metric:<name>.<last, min, max, mean or best>, with - before it for descending. `deleted`: those in the trash.
        """
        wanted = {
            "project": project,
            "state": state if state is None or isinstance(state, str) else ",".join(state),
            "search": search,
            "sort": sort,
            "sweep": sweep,
            "deleted": "true" if deleted else None,
        }
        return Runs(self, {key: value for key, value in wanted.items() if value is not None})

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
    ) -> list[Series]:
        """Metrics of several runs, each raw where the window has at most `buckets` points, else in so many buckets,
        which keep every minimum and maximum. `ema`: the weight of the past in a moving average of all points. `x`:
        another metric of the same rows as the axis."""
        wanted = {
            "runs": [run if isinstance(run, str) else run.id for run in runs],
            "keys": names_of(keys),
            "buckets": buckets,
            "from_step": from_step,
            "to_step": to_step,
            "ema": ema,
            "x": x,
        }
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


def names_of(keys: Names) -> Optional[list[str]]:
    """One name, several, or None for all."""
    return [keys] if isinstance(keys, str) else None if keys is None else list(keys)
