"""What a program wants kept besides its rows, as it says it to the observer: `<client>.wanted`, a JSON line each."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from martlet._delivery import warn
from martlet._environment import command, here
from martlet._values import words

EVERY = 5.0  # seconds between two samples, unless MARTLET_SAMPLE_EVERY says otherwise
WORDS = ("environment", "git", "diff", "packages", "system")
IN_AN_ATTEMPT = ("environment", "git", "packages")  # the server knows the rest of what it executes itself
CONSOLES = ("wrap", "off")

Capture = Union[str, bool, Iterable[str], None]


def captured(given: Capture, outside: bool) -> list[str]:
    """The parts that are looked up. Raises ValueError for what there is not."""
    wanted = _parts(given) if given is not None else _parts_of_environment()
    return [part for part in wanted if outside or part in IN_AN_ATTEMPT]


def console(given: Optional[str], outside: bool) -> bool:
    """Whether what is printed is kept. Raises ValueError for what there is not."""
    if given is None:
        given = os.environ.get("MARTLET_CONSOLE") or "wrap"
        if given not in CONSOLES:
            warn(f"MARTLET_CONSOLE is '{given}', not one of {', '.join(CONSOLES)}; wrap is used")
            given = "wrap"
    if given not in CONSOLES:
        raise ValueError(f"console is one of {', '.join(CONSOLES)}, not {given!r}")
    return outside and given == "wrap"


def capture(what: list[str], outside: bool) -> dict[str, Any]:
    """The line that says what to look up, with what only the program itself knows. Costs a fraction of a
    millisecond."""
    told: dict[str, Any] = {"what": what, "workdir": words(here())}
    if "packages" in what:
        told.update(path=[words(entry) for entry in sys.path], prefix=sys.prefix, conda=os.environ.get("CONDA_PREFIX"))
    if "environment" in what:
        told["environment"] = _process() if outside else {"python": _python()}
        told["machine"] = outside
    if "system" in what:
        told["every"] = _every()
    return {"capture": told}


def append(path: str, line: Mapping[str, Any]) -> None:
    """Raises OSError."""
    data = json.dumps(line).encode() + b"\n"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, data) != len(data):
            raise OSError("the disk took only a part of a line")
    finally:
        os.close(fd)


def _process() -> dict[str, Any]:
    from martlet import _secrets

    return {
        "python": _python(),
        "argv": command(),
        "cwd": words(here()),
        "variables": _secrets.variables(os.environ),
    }


def _python() -> dict[str, Any]:
    return {"version": ".".join(map(str, sys.version_info[:3])), "executable": words(sys.executable)}


def _parts(given: Any) -> list[str]:
    if isinstance(given, bool):
        return list(WORDS) if given else []
    named = given.replace(",", " ").split() if isinstance(given, str) else list(given)
    if named in (["off"], ["all"]):
        return list(WORDS) if named == ["all"] else []
    for part in named:
        if part not in WORDS:
            raise ValueError(f"capture is 'all', 'off' or some of {', '.join(WORDS)}, not {part!r}")
    return [part for part in WORDS if part in named]


def _parts_of_environment() -> list[str]:
    named = os.environ.get("MARTLET_CAPTURE") or "all"
    try:
        return _parts(named)
    except ValueError:
        warn(f"MARTLET_CAPTURE is '{named}', not 'all', 'off' or some of {', '.join(WORDS)}; nothing is looked up")
        return []


def _every() -> float:
    """0: no samples."""
    text = os.environ.get("MARTLET_SAMPLE_EVERY", "")
    try:
        seconds = float(text) if text else EVERY
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        warn(f"MARTLET_SAMPLE_EVERY is '{text}', not a number of seconds; {EVERY:.0f} are used")
        return EVERY
    return seconds and max(seconds, 0.1)
