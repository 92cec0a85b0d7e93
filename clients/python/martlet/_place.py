"""Where a run lives: its spool's directory, what its spools begin with, and how to reach the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from martlet._credentials import Credentials


@dataclass(frozen=True)
class Place:
    """Decided once, by `init`."""

    spool: str  # directory
    directory: str  # run.dir
    first: Mapping[str, Any]  # of each spool's first record: run, url, outside, finish, create, local
    credentials: Optional[Credentials] = None  # None: kept offline
    opening: Mapping[str, Any] = field(default_factory=dict)  # what the first client tells besides: patch, capture

    @property
    def outside(self) -> bool:
        return bool(self.first.get("outside"))
