"""The run that a client asks for: made, taken up again, rewound, or forked. By init, or later by a sender."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional
from urllib.parse import quote

Request = Callable[[str, str, Any], dict[str, Any]]  # method, path, body: the answer


def create(
    first: Mapping[str, Any], request: Request, settle: Optional[Callable[[str], bool]] = None
) -> dict[str, Any]:
    """What the first record of a spool asks for (`create`, and `rewind_to` or `fork`): the run as the server has it.

    May be repeated, though a fork, or a run with an `id` and no `resume`, is then made twice. One that was kept offline
    without an `id` is known by its `local`. A run that was there already takes the fields of `create` from the spool's
    `patch`. `settle` gets the id of such a run; True says that what an earlier start of it left has come in the
    meantime.
    """
    body = first.get("create") or {}
    fork = first.get("fork")
    if fork:
        wanted = {"step": fork.get("step"), "name": body.get("name")}
        run = request("POST", f"{path_of(fork['run'])}/fork", {k: v for k, v in wanted.items() if v is not None})
    else:
        if first.get("local") and not body.get("id"):
            body = {**body, "id": first["local"], "resume": "allow"}
        run = request("POST", "/runs", body)
        goes_on = body.get("resume") in ("allow", "must") and isinstance(run.get("id"), str)
        if goes_on and settle and settle(run["id"]):
            run = request("POST", "/runs", body)  # that earlier start may have ended it
    step = first.get("rewind_to")
    if step is not None and isinstance(run.get("id"), str):
        request("POST", f"{path_of(run['id'])}/rewind", {"step": step})
        run["last_step"] = step
    return run


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the body of POST /runs a run that exists can be told."""
    return {key: value for key, value in body.items() if key not in ("project", "name", "id", "resume")}


def path_of(run: str) -> str:
    return "/runs/" + quote(run, safe="")
