"""The trackers that are measured, a module each, named as in PEERS."""

from __future__ import annotations

import importlib

from tracking.systems.base import System


def named(name: str) -> System:
    system = importlib.import_module(f"tracking.systems.{name}").SYSTEM
    assert isinstance(system, System)
    return system
