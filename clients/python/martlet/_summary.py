"""`run.summary`: the last value under each name, and what the program says the run's result is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Callable


class Summary(MutableMapping[str, Any]):
    """Reads as a dictionary: what was set here, over the last value that this process logged under each name.

    What is set is the run's word on that name and is sent; `del` takes it back.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.latest: dict[str, Any] = {}
        self._set: dict[str, Any] = {}
        self._tell = tell

    def __getitem__(self, key: str) -> Any:
        return self._set[key] if key in self._set else self.latest[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self._set.pop(key, None)
        self._tell({key: None})

    def __iter__(self) -> Iterator[str]:
        return iter({**self.latest, **self._set})

    def __len__(self) -> int:
        return len({**self.latest, **self._set})

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain dictionary."""
        return dict, (dict(self),)

    def __repr__(self) -> str:
        return f"Summary({dict(self)!r})"

    def update(self, *given: Any, **more: Any) -> None:
        """Takes over a dictionary or keywords, which are told at once."""
        wanted: dict[str, Any] = {}
        for one in given:
            wanted.update(one if isinstance(one, Mapping) else dict(one))
        wanted.update(more)
        self._set.update(wanted)
        if wanted:
            self._tell(wanted)
