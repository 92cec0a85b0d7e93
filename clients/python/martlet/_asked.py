"""What is asked of a run on the server besides its rows: files, output, what its machine did, alerts, events."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import quote, urlencode

from martlet._create import path_of

if TYPE_CHECKING:
    from martlet._api import Api, Names
    from martlet._frame import Series

LINES = 5_000  # a page
WORDS = {True: "true", False: "false"}


class Asked:
    """The part of `StoredRun` that this is."""

    _api: Api
    data: dict[str, Any]

    @property
    def id(self) -> str:
        raise NotImplementedError

    def download(self, file: Union[str, Mapping[str, Any]], path: Union[str, os.PathLike[str]]) -> None:
        raise NotImplementedError

    @property
    def environment(self) -> dict[str, Any]:
        """What the run ran in, as docs/api.md has it; {} where nobody told."""
        if "environment" not in self.data:  # lists leave it out
            self.data = self._api.ask("GET", path_of(self.id))
        return dict(self.data.get("environment") or {})

    @property
    def model(self) -> dict[str, Any]:
        """What `watch` told of the model: `layers`, `parameters`, `trainable`, `framework`."""
        return self._api.ask("GET", f"{path_of(self.id)}/model")

    # -- Files ------------------------------------------------------------------------------------------------

    def files(self, prefix: str = "") -> list[dict[str, Any]]:
        """The run's files, of which each has `path`, `sha256`, `size`, `media_type`, `created_at`; those whose path
        begins so."""
        items = self._api.pages(f"{path_of(self.id)}/files", {})
        return [item for item in items if str(item["path"]).startswith(prefix)]

    def read_file(self, path: str) -> bytes:
        """One file's bytes. Raises KeyError where the run has none of this name."""
        found = bytearray()
        self._api.stream(f"{path_of(self.id)}/blobs/{self._file(path)['sha256']}", found.extend)
        return bytes(found)

    def download_files(self, directory: Union[str, os.PathLike[str]], prefix: str = "") -> list[str]:
        """Writes the run's files below `directory`, each whole or not at all; returns where they are. A name that
        would lie outside of it is passed over."""
        written = []
        root = os.path.realpath(directory)
        for item in self.files(prefix):
            target = os.path.realpath(os.path.join(root, str(item["path"])))
            if os.path.commonpath((root, target)) != root or target == root:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            self.download(str(item["sha256"]), target)
            written.append(target)
        return written

    def _file(self, path: str) -> dict[str, Any]:
        found = next((item for item in self.files(path) if item["path"] == path), None)
        if found is None:
            raise KeyError(f"the run has no file '{path}'")
        return found

    # -- Output -----------------------------------------------------------------------------------------------

    def logs(
        self, stream: str = "all", *, attempt: Optional[int] = None, tail: Optional[int] = None, page: int = LINES
    ) -> Iterator[dict[str, Any]]:
        """The lines that the program printed, as a terminal shows them: dictionaries with `n`, `at`, `stream` and
        `text`. `tail`: only so many last ones. `attempt`: the newest, unless it says."""
        if tail is not None and tail <= 0:
            return
        asked = _given(stream=stream, attempt=attempt, count=page if tail is None else min(page, tail))
        begin: Optional[int] = None if tail is None else -tail
        left = tail
        while True:
            query = {**asked, **({} if begin is None else {"from": str(begin)})}
            answer = self._api.ask("GET", f"{path_of(self.id)}/logs/lines?{urlencode(query)}")
            items = answer.get("items", [])
            if left is not None:
                items = items[:left]
                left -= len(items)
            yield from items
            if not items or left == 0:
                return
            begin = int(items[-1]["n"]) + 1
            asked["attempt"] = str(answer.get("attempt", attempt or 1))

    def search_logs(
        self,
        text: str,
        *,
        regex: bool = False,
        case: bool = False,
        stream: str = "all",
        attempt: Optional[int] = None,
    ) -> Iterator[dict[str, Any]]:
        """The lines in which a text is, or with `regex` what an expression describes; each with the `ranges` that fit.
        With `case`, capitals are other letters than small ones."""
        asked = _given(text=text, case=WORDS[case], stream=stream, attempt=attempt, regex="true" if regex else None)
        after: Optional[str] = None
        while True:
            query = {**asked, **({} if after is None else {"after": after})}
            answer = self._api.ask("GET", f"{path_of(self.id)}/logs/search?{urlencode(query, quote_via=quote)}")
            yield from answer.get("items", [])
            following = answer.get("next")
            if following is None or str(following) == after:
                return
            after = str(following)

    # -- What the machine did ---------------------------------------------------------------------------------

    def system(self) -> dict[str, dict[str, Any]]:
        """Which system metrics there are: by name, `unit`, `last`, `mean`, `min`, `max`."""
        answer = self._api.ask("GET", f"{path_of(self.id)}/system")
        return {str(metric["name"]): metric for metric in answer.get("metrics", [])}

    def system_series(self, keys: Names = None, **window: Any) -> dict[str, Series]:
        """Their series by name, as `series` gives metrics; `steps` are milliseconds since 1970."""
        return {one.key: one for one in self._api.series([self.id], keys, system=True, **window)}

    # -- What happened ----------------------------------------------------------------------------------------

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it raised: `at`, `level`, `title`, `text`, …"""
        return list(self._api.pages(f"{path_of(self.id)}/alerts", {}))

    def alert(self, title: str, text: str = "", level: str = "info", key: Optional[str] = None) -> dict[str, Any]:
        """Raises one; one of the same `key` once."""
        body = {"title": title, "text": text, "level": level, "key": key}
        given = {name: value for name, value in body.items() if value}
        return self._api.ask("POST", f"{path_of(self.id)}/alerts", given)

    def events(self) -> Iterator[dict[str, Any]]:
        """What became of it, and who did it when: `at`, `type`, `by`, `payload`."""
        return self._api.pages(f"{path_of(self.id)}/events", {})


def _given(**asked: Any) -> dict[str, str]:
    return {name: str(value) for name, value in asked.items() if value is not None}
