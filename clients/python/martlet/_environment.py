"""What a program runs in: command, interpreter, host and, looked up by the sender, the git commit."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from typing import Any, Optional
from urllib.parse import urlsplit, urlunsplit

from martlet._secrets import masked
from martlet._values import words

GIT_SECONDS = 10.0  # for each git command; a repository on a slow disk goes without


def process() -> dict[str, Any]:
    """What the program knows of itself, in the words of `POST /runs`. Costs microseconds."""
    return {
        "command": command(),
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "workdir": words(here()),
    }


def command() -> list[str]:
    """The command line, without the secrets in it."""
    return masked([words(part) for part in getattr(sys, "orig_argv", None) or [sys.executable, *sys.argv]])


def here() -> str:
    """The current directory; the root where that was removed meanwhile."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


def absolute(path: str) -> str:
    """As `os.path.abspath`, also where the current directory is gone."""
    return os.path.normpath(os.path.join(here(), path))


def git(directory: str) -> Optional[dict[str, Any]]:
    """Commit, branch, changes and remote of the repository that holds `directory`, or None.

    `dirty` counts changes to tracked files only. Called by the sender: git may take seconds.
    """
    status = _git(directory, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None
    head: dict[str, str] = {}
    dirty = False
    for line in status.splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition(" ")
            head[key] = value
        else:
            dirty = True
    commit = head.get("branch.oid")
    if not commit or commit == "(initial)":
        return None
    branch = head.get("branch.head")
    remote = (_git(directory, "config", "--get", "remote.origin.url") or "").strip()
    return {
        "commit": commit,
        "branch": None if branch == "(detached)" else branch,
        "dirty": dirty,
        "remote": without_password(remote) or None,
    }


def without_password(remote: str) -> str:
    """A remote's address without the name and password that may stand in it."""
    if "://" not in remote:
        return remote
    try:
        parts = urlsplit(remote)
    except ValueError:  # no address, so nobody knows where its password ends
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def git_environment() -> dict[str, str]:
    """No lock is taken (somebody may be committing right now), nobody is asked for a password."""
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _git(directory: str, *arguments: str) -> Optional[str]:
    command = ["git", "-C", directory, *arguments]
    try:
        done = subprocess.run(
            command,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git, no repository, or too slow: a run without a commit is still a run
    return done.stdout.decode("utf-8", "replace")
