"""Where a run lives: its spool's directory, what its spools begin with, and how to reach the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from martlet._credentials import Credentials


@dataclass(frozen=True)
class Place:
    """Decided once, by `init`."""

    spool: str  # directory
    directory: str  # run.dir
    first: Mapping[str, Any]  # of each spool's first record: run, url, outside, finish, create, local, fork, rewind_to
    credentials: Optional[Credentials] = None  # None: kept offline
    opening: Mapping[str, Any] = field(default_factory=dict)  # what the first client tells besides: a patch
    wanted: Mapping[str, Any] = field(default_factory=dict)  # what the observer is told first
    console: bool = False  # what is printed is kept
    last_step: int = -1  # of a run that was there before: rows without a step come after it
    done: Optional[Callable[[], None]] = None  # to be told when the run has finished with exit code 0

    @property
    def outside(self) -> bool:
        return bool(self.first.get("outside"))
