"""What else runs many commands, a module for each."""

from __future__ import annotations

import importlib
from typing import cast

from execution.systems.base import System


def named(name: str) -> System:
    module = importlib.import_module(f"execution.systems.{name.replace('-', '_')}")
    return cast(System, module.SYSTEM)
