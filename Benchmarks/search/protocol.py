"""A program that speaks the line protocol of `martlet sweep serve`: one JSON object a line in, one out.

{"op":"hello"} -> {"ok":true,"protocol":1,"name":"martlet","algorithms":[…],"features":[…]}
{"op":"create","study":"s","space":SPACE,"algorithm":"tpe","seed":7,"options":{"budget":100,"workers":8}}
{"op":"ask","study":"s","n":1} -> {"ok":true,"trials":[{"id":0,"params":{"lr":0.01}}]}
{"op":"tell","study":"s","trial":0,"state":"complete|failed|pruned","values":[0.3],"constraints":[-0.1]}
{"op":"report","study":"s","trial":0,"step":3,"value":0.5} -> {"ok":true,"decision":"continue|stop"}
{"op":"load","study":"s","trials":[{"params":{…},"values":[0.3]}]}        {"op":"best","study":"s"}
{"op":"snapshot","study":"s"} -> {"ok":true,"state":"…"}                  {"op":"restore","study":"s","state":"…"}
{"op":"close","study":"s"}   {"op":"shutdown"}              any error: {"ok":false,"error":"text"}
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from tracking.processes import process_cpu

PAGE = os.sysconf("SC_PAGE_SIZE")


class NoAnswer(RuntimeError):
    """The program was silent, ended, or wrote what is no answer; it has been killed."""


class Refused(RuntimeError):
    """An answer with ok: false."""

    @property
    def is_unsupported(self) -> bool:
        return str(self).startswith("unsupported")


class Program:
    """The program, up from the beginning. A request that takes more than `timeout` seconds ends it."""

    def __init__(self, command: Sequence[str], timeout: float = 300.0) -> None:
        self.command = tuple(command)
        self.timeout = timeout
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("no pipes to the program")
        self._pipes = (self._process.stdin, self._process.stdout)
        self._input, self._output = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._input, False)
        self._buffer = b""
        self._studies = 0

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def new_name(self) -> str:
        """A name that no study of this process has had."""
        self._studies += 1
        return f"study-{self._studies}"

    def request(self, **message: Any) -> dict[str, Any]:
        """The answer; raises Refused and NoAnswer."""
        answer = self.answer(message)
        if not answer["ok"]:
            raise Refused(answer.get("error", f"{message['op']}: no reason was given"))
        return answer

    def answer(self, message: Union[dict[str, Any], bytes]) -> dict[str, Any]:
        """The answer, whether ok or not, to a message, or to bytes that are none."""
        if isinstance(message, bytes):
            line = self.exchange(message, "no JSON")
        else:
            line = self.exchange((json.dumps(message) + "\n").encode(), message["op"])
        try:
            answer = json.loads(line, parse_constant=_no_constant)
        except ValueError as error:
            self.kill()
            raise NoAnswer(f"the answer is no line of JSON ({error}): {line[:200]!r}") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
            raise NoAnswer(f"there is no ok: true or false in {line[:200]!r}")
        return answer

    def exchange(self, data: bytes, what: str) -> bytes:
        """Writes a line, reads a line."""
        deadline = time.monotonic() + self.timeout
        unwritten = memoryview(data)
        while b"\n" not in self._buffer:
            left = max(0.0, deadline - time.monotonic())
            readable, writable, _ = select.select([self._output], [self._input] if len(unwritten) else [], [], left)
            if not readable and not writable:
                self.kill()
                raise NoAnswer(f"no answer to {what} within {self.timeout:g} s")
            if writable:
                try:
                    unwritten = unwritten[os.write(self._input, unwritten[:65536]) :]
                except BrokenPipeError:
                    unwritten = unwritten[:0]
            if readable:
                received = os.read(self._output, 1 << 20)
                if not received:
                    self.kill()
                    raise NoAnswer(f"the program ended on {what} with {self._process.returncode}")
                self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def cpu(self) -> float:
        """CPU seconds that it has used so far, all its threads, to the nanosecond."""
        return process_cpu(self._process.pid)

    def memory(self) -> int:
        """Resident bytes of its own, without mapped files."""
        fields = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()
        return (int(fields[1]) - int(fields[2])) * PAGE

    def ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Asks it to end, and kills it where it does not."""
        self.timeout = 5.0
        if self.is_running:
            with contextlib.suppress(NoAnswer, OSError):
                self.exchange(b'{"op":"shutdown"}\n', "shutdown")
            self._pipes[0].close()
            self.ends_within(5)
        self.kill()
        for pipe in self._pipes:
            pipe.close()


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
