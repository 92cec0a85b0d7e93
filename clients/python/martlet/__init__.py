"""The Python client of Martlet: `init`, `log`, `finish`. It never blocks or breaks a training loop.

    import martlet

    run = martlet.init(project="digits", config={"lr": 0.1})
    for epoch in range(10):
        run.log({"train/loss": 1 / (epoch + 1)})
    run.finish()

Started by Martlet (in a sweep, say) the run is there already, and `run.config` holds the trial's parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from martlet._config import Config
from martlet._delivery import warn as _warn
from martlet._hooks import Ending as _Ending
from martlet._run import Run
from martlet._start import start as _start

__version__ = "0.1.0"
__all__ = ["Config", "Run", "finish", "init", "log"]

config: Config  # the active run's; there after init()
run: Run  # the active run; there after init()

_active: Optional[Run] = None
_ending: Optional[_Ending] = None
_warned = False


def init(
    project: Optional[str] = None,
    name: Optional[str] = None,
    config: Any = None,
    *,
    tags: Optional[Iterable[str]] = None,
    notes: Optional[str] = None,
    group: Optional[str] = None,
    job_type: Optional[str] = None,
    directory: Optional[str] = None,
    mode: str = "online",
) -> Run:
    """Begins a run, or joins the one that Martlet started this program for.

    `config` is a dictionary or an argparse.Namespace. `directory` is where the program writes its files (run.dir).
    `mode`: "online"; "offline" keeps the run on disk for `python3 -m martlet sync`; "disabled" does nothing at all.
    Without a server the run is kept offline, which is said on stderr. Raises only for arguments that no run can have.
    """
    global _active, _ending
    if _active is not None and not _active._finished:
        if _active._place and not _active._place.outside:
            if config:
                _active.config.update(config)
            return _active
        _active.finish()
    _active = _start(
        project,
        name,
        config,
        tags=tags,
        notes=notes,
        group=group,
        job_type=job_type,
        directory=directory,
        mode=mode,
    )
    if _ending is None:
        _ending = _Ending(finish, lambda: _active._step if _active else 0)
    return _active


def log(values: Mapping[str, Any], step: Optional[int] = None) -> None:
    """`run.log` of the active run."""
    global _warned
    if _active is not None:
        _active.log(values, step)
    elif not _warned:
        _warned = True
        _warn("log() before init() keeps nothing")


def finish(exit_code: int = 0, reason: Optional[str] = None, state: Optional[str] = None) -> None:
    """`run.finish` of the active run."""
    if _active is not None:
        _active.finish(exit_code, reason, state)


def __getattr__(name: str) -> Any:
    if name in ("config", "run"):
        if _active is None:
            raise AttributeError(f"martlet.{name} is there after martlet.init()")
        return _active.config if name == "config" else _active
    raise AttributeError(f"module 'martlet' has no attribute {name!r}")
