"""Processes that do one thing when told to: requests go in as JSON lines on stdin, answers come back on a pipe of
their own, and what libraries print goes to a log."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Callable

from tracking.processes import Group

READY = "ready?"  # every agent answers this, once it has imported what it needs
LONGEST = 300.0  # seconds that an answer may take


class AgentFailed(Exception):
    """The agent's own words, or the end of its log."""


class Agent:
    """The orchestrator's end. The process is `python -m MODULE FD ARGUMENT`, the argument being JSON."""

    def __init__(
        self, group: Group, python: str, module: str, argument: Any, environment: Mapping[str, str], directory: str
    ) -> None:
        self._log = os.path.join(directory, f"{module}-{time.monotonic_ns()}.log")
        self._answers, writing = os.pipe()
        self._unread = b""
        self._group = group
        command = [python, "-m", module, str(writing), json.dumps(argument)]
        try:
            with open(self._log, "wb") as log:
                self.process = group.start(
                    command,
                    environment=environment,
                    directory=directory,
                    log=log,
                    stdin=subprocess.PIPE,
                    keep=(writing,),
                )
        finally:
            os.close(writing)

    def tell(self, what: str, **details: Any) -> None:
        """Returns at once; `answer` gets the answers, in order."""
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps({"do": what, **details}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise AgentFailed(self._last_words()) from None

    def answer(self, longest: float = LONGEST) -> dict[str, Any]:
        deadline = time.monotonic() + longest
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._answers, 1 << 16) if ready else b""
            if not ready:
                raise AgentFailed(f"no answer in {longest:.0f} s; {self._last_words()}")
            if not piece:
                raise AgentFailed(self._last_words())
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise AgentFailed(str(answer["failed"]))
        return answer

    def ask(self, what: str, longest: float = LONGEST, **details: Any) -> dict[str, Any]:
        self.tell(what, **details)
        return self.answer(longest)

    def close(self) -> None:
        """The process ends when its stdin does; a group's kill() takes those that do not."""
        if self.process.stdin:
            self.process.stdin.close()
        os.close(self._answers)

    def _last_words(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as file:
            said = " | ".join(file.read().strip().splitlines()[-4:])[-600:]
        return f"the process ended: {said}" if self._group.ended(self.process) is not None else f"it said: {said}"


def serve(handlers: Mapping[str, Callable[..., Any]], answers: int) -> None:
    """The agent's end: answers each request until stdin ends, then leaves without ceremony."""
    for line in sys.stdin:
        request = json.loads(line)
        what = request.pop("do")
        try:
            answer = {} if what == READY else handlers[what](**request) or {}
        except Exception as error:
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"[:600]}
        os.write(answers, json.dumps(answer).encode() + b"\n")
    os._exit(0)
