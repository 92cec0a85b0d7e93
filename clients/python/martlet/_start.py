"""`init`: finds out where the program runs (an attempt, outside, offline) and makes its Run."""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import Any, NamedTuple, Optional

from martlet import _environment, _values, _wishes
from martlet._config import Config
from martlet._create import create, fields_of, path_of
from martlet._credentials import Credentials, find
from martlet._delivery import warn
from martlet._environment import absolute, here
from martlet._place import Place
from martlet._resume import MODES as RESUMES
from martlet._resume import Resumption
from martlet._run import Run

MODES = ("online", "offline", "disabled")
CREATION_TIMEOUT = 10.0  # seconds that init waits for a server that takes the connection but does not answer


class Aside(NamedTuple):
    """What is kept besides rows."""

    capture: _wishes.Capture = None
    console: Optional[str] = None


class Wish(NamedTuple):
    """Which run is meant, where it is not simply a new one."""

    id: Optional[str] = None
    resume: Optional[str] = None
    rewind_to: Optional[int] = None
    fork_from: Optional[str] = None
    step: Optional[int] = None

    def checked(self) -> Wish:
        """Raises ValueError for what no run can be."""
        if self.resume is not None and self.resume not in RESUMES:
            raise ValueError(f"resume is one of {', '.join(RESUMES)}, not {self.resume!r}")
        if self.resume not in (None, "auto") and not self.id:
            raise ValueError(f"resume='{self.resume}' needs the run's id: init(id=…)")
        if self.fork_from is not None and (self.id or self.resume or self.rewind_to is not None):
            raise ValueError("fork_from makes a new run: it goes with step, not with id, resume or rewind_to")
        if self.rewind_to is not None and not (self.id or self.resume):
            raise ValueError("rewind_to needs the run's id: init(id=…, rewind_to=…)")
        if self.rewind_to is not None and self.resume == "never":
            raise ValueError("rewind_to is for a run that exists, resume='never' for one that does not")
        if self.step is not None and self.fork_from is None:
            raise ValueError("step goes with fork_from; to go back within a run there is rewind_to")
        for name in ("rewind_to", "step"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value.bit_length() > 63):
                raise ValueError(f"{name} is a whole number, not {value!r}")
        return self

    @property
    def is_of_old(self) -> bool:
        """The run may be there already."""
        return self.id is not None or self.fork_from is not None


def start(
    project: Optional[str],
    name: Optional[str],
    config: Any,
    *,
    fields: dict[str, Any],
    directory: Optional[str],
    mode: Optional[str],
    wish: Wish,
    aside: Aside,
) -> Run:
    """`fields`: tags, notes, group and job_type, those that were given."""
    mode = _mode(mode)
    wish = wish.checked()
    attempt = os.environ.get("MARTLET_RUN_ID")
    what, console = _wishes.captured(aside.capture, not attempt), _wishes.console(aside.console, not attempt)
    wanted = _wishes.capture(what, not attempt) if what and mode != "disabled" else {}
    inherited = os.environ.get("MARTLET_PROJECT")
    project = _values.words((inherited or project if attempt else project or inherited) or "default")
    name = name and _values.words(name)
    fields = {
        key: [_values.words(tag) for tag in value] if key == "tags" else _values.words(value)
        for key, value in fields.items()
    }
    settings = Config(config, _parameters())
    if mode == "disabled":
        return Run(None, id=attempt or "disabled", name=name or "disabled", project=project, config=settings)
    if attempt:
        return _in_attempt(attempt, project, settings, fields, bool(config), mode, wish, wanted)
    body = {"project": project, **({"name": name} if name else {}), **fields, **_environment.process()}
    body["config"] = _values.described(settings.as_dict())
    return _outside(body, settings, directory, mode, wish, wanted, console)


def _mode(given: Optional[str]) -> str:
    if given is not None:
        if given not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}, not {given!r}")
        return given
    named = os.environ.get("MARTLET_MODE") or "online"
    if named not in MODES:
        warn(f"MARTLET_MODE is '{named}', not one of {', '.join(MODES)}; online is used")
        return "online"
    return named


def _in_attempt(
    run: str,
    project: str,
    config: Config,
    fields: dict[str, Any],
    configured: bool,
    mode: str,
    wish: Wish,
    wanted: dict[str, Any],
) -> Run:
    """Martlet executes us: the run is there, with a name of its sweep's choosing, its command and its process id."""
    given = os.environ.get("MARTLET_RUN_DIR")
    directory = given or here()
    spool = os.environ.get("MARTLET_SPOOL_DIR") or (os.path.join(given, ".martlet") if given else _spool_of(run))
    credentials = None
    if mode == "online":
        try:
            credentials = find()
        except Exception as nowhere:  # no server, or a token that cannot be read
            warn(f"{nowhere}; the server reads the points when the attempt ends")
    patch = {**fields, "python": _environment.process()["python"]}
    if configured:
        patch["config"] = _values.described(config.as_dict())
    if wish.is_of_old:
        warn(f"Martlet started this program for run {run}: id, resume and fork_from mean nothing here")
    place = Place(
        spool=absolute(spool),
        directory=absolute(directory),
        first={"run": run, "url": credentials.url if credentials else None, "outside": False, "finish": False},
        credentials=credentials,
        opening={"patch": patch},
        wanted=wanted,
        last_step=_rewound(run, wish.rewind_to, credentials),
    )
    name = os.environ.get("MARTLET_RUN_NAME") or (os.path.basename(os.path.normpath(given)) if given else run)
    return _opened(place, id=run, name=name, project=project, config=config)


def _outside(
    body: dict[str, Any],
    config: Config,
    directory: Optional[str],
    mode: str,
    wish: Wish,
    wanted: dict[str, Any],
    console: bool,
) -> Run:
    """A run of somebody who started the program by hand, or under another scheduler."""
    resumption = Resumption(body["project"], directory) if wish.resume == "auto" and not wish.id else None
    if resumption:
        wish = wish._replace(id=resumption.id)
    if wish.id:
        resume = "allow" if wish.resume == "auto" else wish.resume or ("must" if wish.rewind_to is not None else None)
        body = {**body, "id": wish.id, **({"resume": resume} if resume else {})}
    asked: dict[str, Any] = {"create": body}
    if wish.rewind_to is not None:
        asked["rewind_to"] = wish.rewind_to
    if wish.fork_from is not None:
        asked["fork"] = {"run": wish.fork_from, **({} if wish.step is None else {"step": wish.step})}
    created, credentials = _create(asked, wish, directory) if mode == "online" else (None, None)
    run = created["id"] if created else f"offline-{uuid.uuid4().hex[:16]}"
    spool = _spool_of(run, directory)
    first: dict[str, Any] = {"run": None, "url": None, "outside": True, "finish": True}
    if created and credentials:
        first.update(run=run, url=credentials.url)
    else:
        first.update(local=run, **asked)
    opening: dict[str, Any] = {"patch": fields_of(body)} if wish.is_of_old else {}
    shown = created or body
    steps = (shown.get("last_step") if wish.is_of_old else None, wish.rewind_to, wish.step)
    place = Place(
        spool=spool,
        directory=absolute(directory or here()),
        first=first,
        credentials=credentials,
        opening=opening,
        wanted=wanted,
        console=console,
        last_step=next((step for step in steps if type(step) is int), -1),
        done=resumption.forget if resumption else None,
    )
    opened = _opened(
        place, id=run, name=shown.get("name") or run, project=shown.get("project") or body["project"], config=config
    )
    if opened.url:
        warn(f"run {opened.name}: {opened.url}")
    elif opened._place:
        warn(f"run {opened.name} is kept offline in {opened._place.spool}")
    return opened


def _create(
    asked: dict[str, Any], wish: Wish, directory: Optional[str]
) -> tuple[Optional[dict[str, Any]], Optional[Credentials]]:
    """The server's run, or nothing when there is no server that would take one: the run is then kept offline.

    Raises ValueError where the server says that there can be no such run (`resume="must"` of one that is not there).
    """
    from martlet._connection import Connection, Refused  # the HTTP library, which an attempt never needs
    from martlet._leftovers import settle

    try:
        credentials = find()
        connection = Connection(credentials.url, credentials.token, CREATION_TIMEOUT)
        try:
            created = create(
                asked,
                connection.request,
                lambda run: settle(_spool_of(run, directory), run, credentials, CREATION_TIMEOUT),
            )
        finally:
            connection.close()
        if isinstance(created.get("id"), str):
            return created, credentials
        warn(f"what answers at {credentials.url} is no Martlet server")
    except Refused as refusal:
        if (wish.is_of_old or wish.rewind_to is not None) and refusal.status in (400, 404, 409, 422):
            raise ValueError(str(refusal)) from refusal
        warn(str(refusal))
    except Exception as error:  # no server, or an address or a token that no request can have
        warn(_values.words(error) or type(error).__name__)
    return None, None


def _rewound(run: str, step: Optional[int], credentials: Optional[Credentials]) -> int:
    """In an attempt that goes on from a checkpoint: the rows behind it are taken back, if they can be."""
    if step is None:
        return -1
    from martlet._connection import Connection, Unreachable

    try:
        if credentials is None:
            raise Unreachable("no server is there")
        connection = Connection(credentials.url, credentials.token, CREATION_TIMEOUT)
        try:
            connection.request("POST", f"{path_of(run)}/rewind", {"step": step})
        finally:
            connection.close()
    except Exception as error:
        warn(f"the rows behind step {step} are still there: {error}")
    return step


def _opened(place: Place, **run: Any) -> Run:
    try:
        return Run(place, **run)
    except OSError as error:
        warn(f"nothing can be logged: the spool could not be written: {error}")
        return Run(None, **run)


def _spool_of(run: str, directory: Optional[str] = None) -> str:
    if directory:
        return os.path.join(absolute(directory), ".martlet")
    return absolute(os.path.join(os.path.expanduser("~/.martlet-client/spool"), run))


def _parameters() -> dict[str, Any]:
    """The trial's parameters."""
    path = os.environ.get("MARTLET_PARAMS")
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            parameters = json.load(file)
        if isinstance(parameters, dict):
            return parameters
        problem = "it is no JSON object"
    except (OSError, ValueError) as error:
        problem = str(error)
    # Training with other values than the sweep asked for would put a wrong result into its table.
    sys.exit(f"martlet: the trial's parameters cannot be read from MARTLET_PARAMS ({path}): {problem}")
