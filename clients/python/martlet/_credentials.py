"""Which server to talk to, and the token that lets us in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple, Optional


class Credentials(NamedTuple):
    """`data` is the data directory that named the server, or None when MARTLET_URL did: a server that comes back on
    another port is found again through it."""

    url: str
    token: Optional[str]
    data: Optional[str] = None

    def environment(self) -> dict[str, str]:
        """What a sender is given so that it finds the same server with the same token."""
        found = {"MARTLET_TOKEN": self.token or ""}
        if self.data:
            return {**found, "MARTLET_URL": "", "MARTLET_DATA": self.data}
        return {**found, "MARTLET_URL": self.url}


class NoServer(Exception):
    """No server is named anywhere; the message says where we looked."""


def find(environ: Mapping[str, str] = os.environ) -> Credentials:
    """MARTLET_URL and MARTLET_TOKEN, else the server that is up on MARTLET_DATA or ~/.martlet.

    With MARTLET_URL alone, the token of a data directory is used only where that directory was named
    (MARTLET_DATA) or its own server has this very URL: a token goes to no server that it is not for.
    """
    named, url, token = environ.get("MARTLET_DATA"), environ.get("MARTLET_URL"), environ.get("MARTLET_TOKEN")
    data = os.path.expanduser(named or "~/.martlet")
    if url:
        url = url.rstrip("/")
        if not token and (named or _url_of(data) == url):
            token = _token_in(data)
        return Credentials(url, token)
    local = _url_of(data)
    if not local:
        raise NoServer(f"no server is up on {data}, and MARTLET_URL is not set; `martlet up` starts one")
    return Credentials(local, token or _token_in(data), data)


def elsewhere(known: Credentials, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Where a server that MARTLET_URL named may be by now: a restart may have given it another port, and the data
    directory that MARTLET_DATA names says which. The same credentials when it says nothing new."""
    named = environ.get("MARTLET_DATA")
    url = _url_of(os.path.expanduser(named)) if named else None
    return known._replace(url=url) if url else known


def _url_of(data: str) -> Optional[str]:
    try:
        with open(os.path.join(data, "server.json"), encoding="utf-8") as file:
            url = json.load(file)["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no server, or one that is just writing this file: there is nothing to talk to
    return url.rstrip("/") if isinstance(url, str) and url else None


def _token_in(data: str) -> Optional[str]:
    try:
        with open(os.path.join(data, "token"), encoding="utf-8") as file:
            return file.read().strip() or None
    except OSError:
        return None  # a server that wants one says so, and how to get it
