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
from typing import TYPE_CHECKING, Any, Optional, Union

from martlet._config import Config
from martlet._delivery import warn as _warn
from martlet._hooks import Ending as _Ending
from martlet._run import Run
from martlet._start import Aside as _Aside
from martlet._start import Wish as _Wish
from martlet._start import start as _start
from martlet._summary import Summary

if TYPE_CHECKING:
    from martlet._api import Api
    from martlet._connection import Refused, Unreachable
    from martlet._histogram import Histogram
    from martlet._media import Audio, File, Html, Image, Video
    from martlet._table import Table

__version__ = "0.1.0"
__all__ = [
    "Api",
    "Audio",
    "Config",
    "File",
    "Histogram",
    "Html",
    "Image",
    "Refused",
    "Run",
    "Summary",
    "Table",
    "Unreachable",
    "Video",
    "alert",
    "define_metric",
    "finish",
    "init",
    "log",
    "save",
    "unwatch",
    "watch",
]

config: Config  # the active run's; there after init()
run: Run  # the active run; there after init()
summary: Summary  # the active run's; there after init()

_active: Optional[Run] = None
_ending: Optional[_Ending] = None
_warned = False

# What most programs never use is imported when it is first asked for.
_LATER = {
    "Api": "_api",
    "Audio": "_media",
    "File": "_media",
    "Histogram": "_histogram",
    "Html": "_media",
    "Image": "_media",
    "Refused": "_connection",
    "Table": "_table",
    "Unreachable": "_connection",
    "Video": "_media",
}


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
    mode: Optional[str] = None,
    id: Optional[str] = None,  # noqa: A002
    resume: Optional[str] = None,
    rewind_to: Optional[int] = None,
    fork_from: Optional[str] = None,
    step: Optional[int] = None,
    capture: Union[str, bool, Iterable[str], None] = None,
    console: Optional[str] = None,
) -> Run:
    """Begins a run, goes on with one, or joins the one that Martlet started this program for.

    `config` is a dictionary or an argparse.Namespace. `directory` is where the program writes its files (run.dir).
    `mode`: "online"; "offline" keeps the run on disk for `python3 -m martlet sync`; "disabled" does nothing at all;
    by default what MARTLET_MODE says, else "online". Without a server the run is kept offline, which is said on stderr.

    `id` is the program's own name for the run in its project. With `resume` "allow" it goes on with that run if there
    is one; "must" and "never" insist on it; "auto" goes on with what this program left unfinished in this directory.
    `rewind_to` takes back the rows behind that step first. `fork_from` begins with another run's rows up to `step`.

    `capture`: "all", "off", or some of environment, git, diff, packages, system: what is looked up of what the run
    runs in. `console`: "wrap" keeps what the program prints as well, "off" does not. A run that Martlet executes has
    its output kept in any case.

    Raises only for arguments that no run can have.
    """
    global _active, _ending
    if _active is not None and not _active._finished:
        if _active._place and not _active._place.outside:
            if config:
                _active.config.update(config)
            return _active
        _active.finish()
    labels = [tags] if isinstance(tags, str) else list(tags) if tags else None
    fields = {"tags": labels, "notes": notes, "group": group, "job_type": job_type}
    _active = _start(
        project,
        name,
        config,
        fields={key: value for key, value in fields.items() if value is not None},
        directory=directory,
        mode=mode,
        wish=_Wish(id, resume, rewind_to, fork_from, step),
        aside=_Aside(capture, console),
    )
    if _ending is None:
        _ending = _Ending(finish, lambda: _active._step if _active else 0)
    _ending.watch()
    return _active


def log(values: Mapping[str, Any], step: Optional[int] = None) -> None:
    """`run.log` of the active run."""
    if _active is not None:
        _active.log(values, step)
    else:
        _say_once("log() before init() keeps nothing")


def define_metric(
    name: str,
    *,
    summary: Optional[str] = None,
    step_metric: Optional[str] = None,
    goal: Optional[str] = None,
    hidden: Optional[bool] = None,
) -> None:
    """`run.define_metric` of the active run."""
    if _active is not None:
        _active.define_metric(name, summary=summary, step_metric=step_metric, goal=goal, hidden=hidden)
    else:
        _say_once("define_metric() before init() has no effect")


def finish(exit_code: int = 0, reason: Optional[str] = None, state: Optional[str] = None) -> None:
    """`run.finish` of the active run."""
    if _active is not None:
        _active.finish(exit_code, reason, state)


def alert(title: str, text: str = "", level: str = "info", wait_duration: float = 60.0) -> bool:
    """`run.alert` of the active run."""
    if _active is not None:
        return _active.alert(title, text, level, wait_duration)
    _say_once("alert() before init() tells nobody")
    return False


def save(files: Any, base: Any = None, policy: str = "now") -> list[str]:
    """`run.save` of the active run."""
    if _active is not None:
        return _active.save(files, base, policy)
    _say_once("save() before init() keeps nothing")
    return []


def watch(model: Any, log: Optional[str] = "gradients", log_freq: int = 1000, name: str = "") -> None:
    """`run.watch` of the active run."""
    if _active is not None:
        _active.watch(model, log, log_freq, name)
    else:
        _say_once("watch() before init() has no effect")


def unwatch(model: Any = None) -> None:
    """`run.unwatch` of the active run."""
    if _active is not None:
        _active.unwatch(model)


def _say_once(message: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        _warn(message)


def __getattr__(name: str) -> Any:
    if name in ("config", "run", "summary"):
        if _active is None:
            raise AttributeError(f"martlet.{name} is there after martlet.init()")
        return _active if name == "run" else getattr(_active, name)
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f"martlet.{_LATER[name]}"), name)
    raise AttributeError(f"module 'martlet' has no attribute {name!r}")
