"""Martlet's methods: studies of one `martlet sweep serve`, so that no run costs a start."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from search.optimizers.base import Optimizer, Task, Trial
from search.protocol import Program, Refused
from search.spaces import Point


class Service:
    """The program, started when it is first needed, and again where it has ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self._program: Optional[Program] = None

    def program(self) -> Program:
        if self._program is None or not self._program.is_running:
            self.close()
            self._program = Program(self.command)
        return self._program

    def close(self) -> None:
        if self._program is not None:
            self._program.close()
        self._program = None


class Martlet(Optimizer):
    """`options` are the method's own, and `steps`, the longest curve, for stopping rules."""

    def __init__(self, task: Task, program: Program, method: str, options: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(task)
        self.program = program
        self.study = program.new_name()
        hints = {"workers": task.workers, **({} if task.budget is None else {"budget": task.budget})}
        space, own = task.space.as_json(), {**hints, **(options or {})}
        self.request("create", space=space, algorithm=method, seed=task.seed, options=own)

    def request(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Something of this study; raises Refused and NoAnswer."""
        return self.program.request(op=operation, study=self.study, **fields)

    def ask(self) -> Trial:
        return self.ask_for(1)[0]

    def ask_for(self, count: int) -> list[Trial]:
        return [Trial(trial["id"], trial["params"]) for trial in self.request("ask", n=count)["trials"]]

    def tell(
        self, trial: int, values: Sequence[float], constraints: Sequence[float] = (), state: str = "complete"
    ) -> None:
        self.request("tell", trial=trial, state=state, values=list(values), constraints=list(constraints))

    def report(self, trial: int, step: int, value: float) -> bool:
        return bool(self.request("report", trial=trial, step=step, value=value)["decision"] == "stop")

    def load(self, trials: Sequence[tuple[Point, Sequence[float]]]) -> None:
        try:
            self.request("load", trials=[{"params": point, "values": list(values)} for point, values in trials])
        except Refused as error:
            raise NotImplementedError(str(error)) from error

    def cpu(self) -> float:
        return self.program.cpu()

    def memory(self) -> Optional[int]:
        return self.program.memory()

    def close(self) -> None:
        if self.program.is_running:
            with contextlib.suppress(Refused):
                self.request("close")
