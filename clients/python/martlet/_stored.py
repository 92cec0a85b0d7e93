"""A run as it stands on the server, for whoever reads it there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import quote, urlencode

from martlet._asked import Asked
from martlet._create import path_of
from martlet._frame import Series
from martlet._history import History

if TYPE_CHECKING:
    from martlet._api import Api, Names

PAGE = 5_000  # rows
_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class StoredRun(Asked):
    """What `Api` gives. Its fields are those of docs/api.md (`run.created_at`, `run.git`, …) as they were when it was
    read; `data` holds them all."""

    def __init__(self, api: Api, data: dict[str, Any]) -> None:
        self._api = api
        self.data = data

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def name(self) -> str:
        return str(self.data["name"])

    @property
    def project(self) -> str:
        return str(self.data["project"])

    @property
    def state(self) -> str:
        return str(self.data["state"])

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.data.get("config") or {})

    @property
    def tags(self) -> list[str]:
        return list(self.data.get("tags") or [])

    @property
    def summary(self) -> dict[str, Any]:
        """One value a name: what was set, else the aggregate that the metric's definition names, else the last."""
        found = {}
        for name, entry in (self.data.get("summary") or {}).items():
            rule = self._rule(name)
            if "set_at" in entry or "last" not in entry:
                found[name] = entry.get("value")
            elif rule != "none":
                found[name] = _number(entry.get(rule, entry["last"]))
        return found

    @property
    def aggregates(self) -> dict[str, dict[str, Any]]:
        """Of each metric: last, min, max, mean, best, count, and the steps of these."""
        entries = (self.data.get("summary") or {}).items()
        return {name: {k: _number(v) for k, v in entry.items()} for name, entry in entries if "last" in entry}

    def __getattr__(self, name: str) -> Any:
        data = self.__dict__.get("data", {})
        if name in data:
            return data[name]
        raise AttributeError(f"a run has no '{name}'")

    def __repr__(self) -> str:
        return f"<martlet run {self.id} '{self.name}' {self.state}>"

    # -- Its points -------------------------------------------------------------------------------------------

    def history(self, keys: Names = None, *, from_step: Optional[int] = None, to_step: Optional[int] = None) -> History:
        """All rows as they came, as dictionaries: the values, `_step`, and `_time` in seconds since 1970.

        With `keys`, only these names, and only rows that have one of them.
        """
        return History(self.scan_history(keys, from_step=from_step, to_step=to_step))

    def scan_history(
        self,
        keys: Names = None,
        *,
        from_step: Optional[int] = None,
        to_step: Optional[int] = None,
        page: int = PAGE,
    ) -> Iterator[dict[str, Any]]:
        """The same a page at a time, for histories that do not fit into memory."""
        from martlet._api import names_of

        names = names_of(keys)
        asked: dict[str, Any] = {
            "limit": page,
            "from_step": from_step,
            "to_step": to_step,
            "keys": None if names is None else json.dumps(names),
        }
        asked = {key: value for key, value in asked.items() if value is not None}
        while True:
            path = f"{path_of(self.id)}/history?{urlencode(asked, quote_via=quote)}"
            answer = self._api.exchange("GET", path, None, {})
            for line in answer.data.splitlines():
                row = json.loads(line)
                yield {"_step": row["step"], "_time": row["time"] / 1e6, **row["values"]}
            following = answer.headers.get("Martlet-Next")
            if following is None:
                return
            asked["after"] = following

    def series(
        self,
        keys: Names = None,
        *,
        buckets: int = 2000,
        from_step: Optional[int] = None,
        to_step: Optional[int] = None,
        ema: Optional[float] = None,
        x: Optional[str] = None,
    ) -> dict[str, Series]:
        """Metrics by name; `Api.series` says what the arguments mean."""
        window = {"buckets": buckets, "from_step": from_step, "to_step": to_step, "ema": ema, "x": x}
        return {one.key: one for one in self._api.series([self.id], keys, **window)}  # type: ignore[arg-type]

    # -- Its files --------------------------------------------------------------------------------------------

    def blob(self, file: Union[str, Mapping[str, Any]]) -> bytes:
        """A file's bytes: by its SHA-256, or by the value that names it in a row (`{"_type": "image", "blob": …}`)."""
        found = bytearray()
        self._fetch(_hash_of(file), found.extend)
        return bytes(found)

    def download(self, file: Union[str, Mapping[str, Any]], path: Union[str, os.PathLike[str]]) -> None:
        """Writes a file to `path`, whole or not at all."""
        part = f"{os.fspath(path)}.part"
        try:
            with open(part, "wb") as target:
                self._fetch(_hash_of(file), target.write)
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.unlink(part)

    def _fetch(self, name: str, take: Any) -> None:
        digest = hashlib.sha256()

        def both(piece: bytes) -> None:
            digest.update(piece)
            take(piece)

        self._api.stream(f"{path_of(self.id)}/blobs/{quote(name, safe='')}", both)
        if digest.hexdigest() != name:
            raise ValueError(f"what came for {name} has the SHA-256 {digest.hexdigest()}")

    # -- Changes ----------------------------------------------------------------------------------------------

    def refresh(self) -> StoredRun:
        """Reads it again."""
        self.data = self._api.ask("GET", path_of(self.id))
        return self

    def update(
        self,
        *,
        name: Optional[str] = None,
        notes: Optional[str] = None,
        tags: Optional[Iterable[str]] = None,
        group: Optional[str] = None,
        job_type: Optional[str] = None,
        config: Optional[Mapping[str, Any]] = None,
        summary: Optional[Mapping[str, Any]] = None,
        metrics: Optional[Mapping[str, Mapping[str, Any]]] = None,
        add_tags: Optional[Iterable[str]] = None,
        remove_tags: Optional[Iterable[str]] = None,
        archived: Optional[bool] = None,
        locked: Optional[bool] = None,
        project: Optional[str] = None,
        parent: Optional[str] = None,
    ) -> StoredRun:
        """Changes what is given. Of `config` the keys that it names, each whole; `tags` replace the old ones; in
        `summary`, None takes a value back; `metrics` are definitions, as in `define_metric`. `project` moves the run
        there; `parent` is another run's id, or "" for none."""
        given = {
            "name": name,
            "notes": notes,
            "tags": None if tags is None else list(tags),
            "group": group,
            "job_type": job_type,
            "config": config,
            "summary": summary,
            "metrics": metrics,
            "add_tags": None if add_tags is None else list(add_tags),
            "remove_tags": None if remove_tags is None else list(remove_tags),
            "archived": archived,
            "locked": locked,
            "project": project,
            "parent": parent,
        }
        changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if parent == "":
            changes["parent"] = None
        self.data = self._api.ask("PATCH", path_of(self.id), changes)
        return self

    def delete(self, *, purge: bool = False) -> None:
        """Puts it into the trash, where it is kept for 30 days; with `purge`, it is gone at once and for ever."""
        self._api.ask("DELETE", path_of(self.id) + ("?purge=true" if purge else ""))

    def restore(self) -> StoredRun:
        """Takes it out of the trash."""
        self.data = self._api.ask("POST", f"{path_of(self.id)}/restore", {})
        return self

    def rewind(self, step: int) -> StoredRun:
        """Takes back all rows above `step`."""
        self.data = self._api.ask("POST", f"{path_of(self.id)}/rewind", {"step": step})
        return self

    def fork(self, step: Optional[int] = None, name: Optional[str] = None) -> StoredRun:
        """A new run that begins with this one's rows, up to `step`."""
        wanted = {key: value for key, value in (("step", step), ("name", name)) if value is not None}
        return StoredRun(self._api, self._api.ask("POST", f"{path_of(self.id)}/fork", wanted))

    def stop(self) -> StoredRun:
        """Asks the program to stop."""
        self.data = self._api.ask("POST", f"{path_of(self.id)}/stop", {})
        return self

    def _rule(self, metric: str) -> str:
        """Which aggregate stands for a metric: its own definition's, else that of the longest beginning."""
        said = self.data.get("metrics") or {}
        fitting = [name for name in said if name == metric or (name.endswith("*") and metric.startswith(name[:-1]))]
        fitting.sort(key=lambda name: (name == metric, len(name)))
        return str((said[fitting[-1]].get("summary") if fitting else None) or "last")


def _number(value: Any) -> Any:
    return _NUMBERS.get(value, value) if isinstance(value, str) else value


def _hash_of(file: Union[str, Mapping[str, Any]]) -> str:
    return file if isinstance(file, str) else str(file["blob"])
