"""Logs to several runs at a pace over one kept connection, as so many quiet trainings do.

The agent `tracking.pacer`; its argument is {"port", "token", "runs"}.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tracking import agents
from tracking.api import LINES, Connection


class Pacer:
    def __init__(self, argument: dict[str, Any]) -> None:
        self._connection = Connection(argument["port"], argument["token"], prefix="/api/v1")
        self._runs = argument["runs"]
        self._next = 0

    def ready(self) -> dict[str, Any]:
        return {}

    def log(self, seconds: float, pace: float, keys: list[str]) -> dict[str, Any]:
        """Each run logs `pace` rows a second of these names; times of the requests are in milliseconds."""
        times = []
        start = time.perf_counter()
        first = self._next
        while (now := time.perf_counter()) < start + seconds:
            due = start + (self._next - first) / pace
            if now < due:
                time.sleep(due - now)
            for run in self._runs:
                values = dict.fromkeys(keys, self._next % 97 / 7)
                row = json.dumps({"seq": self._next, "step": self._next, "values": values}).encode()
                before = time.perf_counter()
                self._connection.request("POST", f"/runs/{run}/log?client=client-1", row, media=LINES)
                times.append((time.perf_counter() - before) * 1e3)
            self._next += 1
        times.sort()
        return {"steps": len(times), "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}


def main(answers: int, argument: dict[str, Any]) -> None:
    pacer = Pacer(argument)
    agents.serve({"ready": pacer.ready, "log": pacer.log}, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
