"""`init`: finds out where the program runs (an attempt, outside, offline) and makes its Run."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterable
from typing import Any, Optional

from martlet import _environment, _values
from martlet._config import Config
from martlet._credentials import Credentials, NoServer, find
from martlet._delivery import warn
from martlet._place import Place
from martlet._run import Run

MODES = ("online", "offline", "disabled")
CREATION_TIMEOUT = 10.0  # seconds that init waits for a server that takes the connection but does not answer


def start(
    project: Optional[str],
    name: Optional[str],
    config: Any,
    *,
    tags: Optional[Iterable[str]],
    notes: Optional[str],
    group: Optional[str],
    job_type: Optional[str],
    directory: Optional[str],
    mode: str,
) -> Run:
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
    attempt = os.environ.get("MARTLET_RUN_ID")
    inherited = os.environ.get("MARTLET_PROJECT")
    project = (inherited or project if attempt else project or inherited) or "default"
    settings = Config(config, _parameters())
    fields = {"tags": list(tags) if tags else None, "notes": notes, "group": group, "job_type": job_type}
    fields = {key: value for key, value in fields.items() if value is not None}
    if mode == "disabled":
        return Run(None, id=attempt or "disabled", name=name or "disabled", project=project, config=settings)
    if attempt:
        return _in_attempt(attempt, project, settings, fields, bool(config), mode)
    body = {"project": project, **({"name": name} if name else {}), **fields, **_environment.process()}
    body["config"] = _values.described(settings.as_dict())
    return _outside(body, settings, directory, mode)


def _in_attempt(run: str, project: str, config: Config, fields: dict[str, Any], configured: bool, mode: str) -> Run:
    """Martlet executes us: the run is there, with a name of its sweep's choosing, its command and its process id."""
    given = os.environ.get("MARTLET_RUN_DIR")
    directory = given or os.getcwd()
    spool = os.environ.get("MARTLET_SPOOL_DIR") or (os.path.join(given, ".martlet") if given else _spool_of(run))
    credentials = None
    if mode == "online":
        try:
            credentials = find()
        except NoServer as nowhere:
            warn(f"{nowhere}; the server reads the points when the attempt ends")
    patch = {**fields, "python": _environment.process()["python"]}
    if configured:
        patch["config"] = _values.described(config.as_dict())
    place = Place(
        spool=os.path.abspath(spool),
        directory=os.path.abspath(directory),
        first={"run": run, "url": credentials.url if credentials else None, "outside": False, "finish": False},
        credentials=credentials,
        opening={"patch": patch, "capture": {"workdir": os.getcwd()}},
    )
    name = os.environ.get("MARTLET_RUN_NAME") or (os.path.basename(os.path.normpath(given)) if given else run)
    return _opened(place, id=run, name=name, project=project, config=config)


def _outside(body: dict[str, Any], config: Config, directory: Optional[str], mode: str) -> Run:
    """A run of somebody who started the program by hand, or under another scheduler."""
    created, credentials = _create(body) if mode == "online" else (None, None)
    run = created["id"] if created else f"offline-{uuid.uuid4().hex[:8]}"
    spool = os.path.join(os.path.abspath(directory), ".martlet") if directory else _spool_of(run)
    first: dict[str, Any] = {"run": None, "url": None, "outside": True, "finish": True}
    if created and credentials:
        first.update(run=run, url=credentials.url)
    else:
        first.update(local=run, create=body)
    place = Place(
        spool=spool,
        directory=os.path.abspath(directory or os.getcwd()),
        first=first,
        credentials=credentials,
        opening={"capture": {"workdir": body["workdir"]}},
    )
    shown = created or body
    opened = _opened(
        place, id=run, name=shown.get("name") or run, project=shown.get("project") or body["project"], config=config
    )
    if opened.url:
        warn(f"run {opened.name}: {opened.url}")
    else:
        warn(f"run {opened.name} is kept offline in {spool}")
    return opened


def _create(body: dict[str, Any]) -> tuple[Optional[dict[str, Any]], Optional[Credentials]]:
    """The server's new run, or nothing when there is no server that would take one: the run is then kept offline."""
    from martlet._connection import Connection, Refused, Unreachable  # the HTTP library, which an attempt never needs

    try:
        credentials = find()
        connection = Connection(credentials.url, credentials.token, CREATION_TIMEOUT)
        try:
            created = connection.request("POST", "/runs", body)
        finally:
            connection.close()
        if isinstance(created.get("id"), str):
            return created, credentials
        warn(f"what answers at {credentials.url} is no Martlet server")
    except (NoServer, Unreachable, Refused, ValueError) as error:
        warn(str(error))
    return None, None


def _opened(place: Place, **run: Any) -> Run:
    try:
        return Run(place, **run)
    except OSError as error:
        warn(f"nothing can be logged: the spool could not be written: {error}")
        return Run(None, **run)


def _spool_of(run: str) -> str:
    return os.path.join(os.path.expanduser("~/.martlet-client/spool"), run)


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
