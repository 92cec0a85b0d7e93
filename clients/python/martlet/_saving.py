"""`run.save`: which files it means, under which names they are kept, and which of them have changed."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from martlet._environment import absolute
from martlet._typed import MOST_BYTES, Blobs
from martlet._values import Unloggable, words

POLICIES = ("now", "end", "live")
LONGEST_PATH = 1024  # bytes of a file's name in the run
LONGEST_PART = 255
MOST_FILES = 10_000  # that one pattern may name


class Rule(NamedTuple):
    """What one `save` asked for."""

    pattern: str
    base: str
    policy: str


def rule(pattern: Any, base: Any, policy: Any) -> Rule:
    """Raises Unloggable for what names no files."""
    if policy not in POLICIES:
        raise Unloggable(f"policy is one of {', '.join(POLICIES)}, not {words(policy)[:100]!r}")
    given = os.fsdecode(os.fspath(pattern))
    if not given:
        raise Unloggable("save() takes the path of a file, a folder or a pattern such as 'out/*.png'")
    whole = absolute(os.path.expanduser(given))
    if base is not None:
        under = absolute(os.path.expanduser(os.fsdecode(os.fspath(base))))
    elif os.path.isabs(os.path.expanduser(given)) or given.startswith(os.pardir):
        # The last folder that the pattern names as it is: its files are kept under their names in it.
        under = whole if os.path.isdir(whole) else os.path.dirname(_plain_part(whole))
    else:
        under = absolute(".")
    return Rule(whole, under, policy)


def matches(wanted: Rule) -> Iterator[tuple[str, str]]:
    """The files that there are now: the name of each in the run, and its path. A folder stands for all in it."""
    count = 0
    for found in sorted(glob.glob(wanted.pattern, recursive=True)):
        if os.path.isdir(found):
            if glob.has_magic(wanted.pattern):  # a folder among what `*` finds is not meant
                continue
            inside: Iterator[str] = (
                os.path.join(at, name) for at, _, names in os.walk(found) for name in sorted(names)
            )
        else:
            inside = iter((found,))
        for path in inside:
            count += 1
            if count > MOST_FILES:
                raise Unloggable(f"{wanted.pattern} names more than {MOST_FILES:,} files")
            yield name_in_run(path, wanted.base), path


def name_in_run(path: str, base: str) -> str:
    """Raises Unloggable for a file that does not lie below `base`, or has a name that no run's file can have."""
    name = os.path.relpath(path, base)
    if name.split(os.sep)[0] == os.pardir:
        raise Unloggable(f"{path} does not lie in {base}: say base=")
    name = name.replace(os.sep, "/").encode("utf-8", "replace").decode("utf-8")
    if any(ord(sign) < 32 or 127 <= ord(sign) < 160 or sign == "\\" for sign in name):
        raise Unloggable(f"{name[:60]!r} has control characters, or a backslash")
    if len(name.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_PART for part in name.split("/")):
        raise Unloggable(f"{name[:60]!r}… has more than {LONGEST_PATH} bytes, or a part of more than {LONGEST_PART}")
    return name


class Saved:
    """What is kept up to date, or kept at the end, by the observer."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self.known: dict[str, list[int]] = {}  # by name in the run: size and time of change when it was kept
        self.blobs: dict[str, str] = {}  # by name: the SHA-256 of that copy
        self._seen: dict[str, list[int]] = {}  # at the last look
        self._said: set[str] = set()

    def add(self, wanted: Mapping[str, Any]) -> None:
        with contextlib.suppress(KeyError, TypeError):
            new = Rule(str(wanted["pattern"]), str(wanted["base"]), str(wanted["policy"]))
            if new not in self._rules:
                self._rules.append(new)

    def changed(self, directory: str, ending: bool) -> Iterator[dict[str, Any]]:
        """Lines of the journal: files that are new or other than they were, copied; while the program lives, only
        those that have not changed since the last look, since somebody may be writing them."""
        for wanted in self._rules:
            if not ending and wanted.policy != "live":
                continue
            try:
                for name, path in matches(wanted):
                    yield from self._kept(name, path, directory, ending)
            except (OSError, Unloggable) as error:
                yield from self._error(str(error))

    def _kept(self, name: str, path: str, directory: str, ending: bool) -> Iterator[dict[str, Any]]:
        try:
            found = os.stat(path)
            state = [found.st_size, found.st_mtime_ns]
            before, self._seen[name] = self._seen.get(name), state
            if self.known.get(name) == state or (not ending and before != state):
                return
            if found.st_size > MOST_BYTES:
                self.known[name] = state
                yield from self._error(f"{path} has {found.st_size:,} bytes, {MOST_BYTES:,} are the limit")
                return
            if not ending and self._must_wait(name, found.st_size, directory):
                return
            kept = Blobs(directory).keep_file(path)
        except FileNotFoundError:  # removed in between
            return
        except (OSError, Unloggable) as error:  # no room, perhaps: the next look tries it again
            yield from self._error(f"{path}: {error}")
            return
        self.known[name], self.blobs[name] = state, kept["blob"]
        yield {"file": {"path": name, "sha256": kept["blob"], "size": kept["size"]}, "state": state}

    def _must_wait(self, name: str, size: int, directory: str) -> bool:
        """Of a file that changes, one copy waits for the server; and the program's own files come first."""
        blob = self.blobs.get(name)
        if blob and os.path.exists(os.path.join(directory, "blobs", blob)):
            return True
        return shutil.disk_usage(directory).free < 2 * size

    def _error(self, message: str) -> Iterator[dict[str, Any]]:
        """Once."""
        if message not in self._said:
            self._said.add(message)
            yield {"error": f"save: {message}"}


def _plain_part(pattern: str) -> str:
    """What of a pattern stands before its first wildcard, up to a folder."""
    at = next((i for i, sign in enumerate(pattern) if sign in "*?["), len(pattern))
    return pattern if at == len(pattern) else pattern[: pattern.rfind("/", 0, at) + 1]
