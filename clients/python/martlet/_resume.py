"""`resume="auto"`: the same program in the same directory goes on with the run that it left unfinished."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import uuid
from typing import Optional

from martlet._delivery import warn
from martlet._environment import absolute, here

MODES = ("allow", "must", "never", "auto")


class Resumption:
    """The id under which this program's run is known, noted on disk until it has finished with exit code 0."""

    def __init__(self, project: str, directory: Optional[str]) -> None:
        if directory:
            self._path = os.path.join(absolute(directory), ".martlet", "resume.json")
        else:
            program = "\0".join((project, here(), *sys.argv[:1]))
            name = hashlib.sha256(program.encode("utf-8", "surrogateescape")).hexdigest()[:16] + ".json"
            self._path = os.path.join(os.path.expanduser("~/.martlet-client/resume"), name)
        self.id = self._noted() or uuid.uuid4().hex[:12]
        temporary = f"{self._path}.{uuid.uuid4().hex}"
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump({"id": self.id}, file)
            os.replace(temporary, self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            warn(f"a later start of this program will not go on with this run: {error}")

    def forget(self) -> None:
        """The run is done: the next start is a run of its own."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _noted(self) -> Optional[str]:
        try:
            with open(self._path, encoding="utf-8") as file:
                noted = json.load(file)["id"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return noted if isinstance(noted, str) and noted else None
