"""Logs through a tracker's own client, in that tracker's environment, and takes the time of each call.

The agent `tracking.worker`; its argument is {"system": name, "place": Place}.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from typing import Any

from tracking import agents, systems, values
from tracking.systems.base import Client, Place

DISTINCT = 20_000  # steps of different values; then they come again
NUMBERS = 10_000  # floats that a moment of work adds up: 320 kB
SPIN, WORK, SLEEP = "spin", "work", "sleep"
COUNT = struct.Struct("<q")


class Worker:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._rows: list[dict[str, float]] = []
        self._made_from: tuple[str, int, int] = ("", 0, 0)

    def begin(self, run: str, kind: str, keys: int, seed: int) -> None:
        """Makes the values and starts the run: all that comes before the clock."""
        if self._made_from != (kind, keys, seed):
            names, columns = values.names(keys), values.losses(kind, keys, DISTINCT, seed)
            self._rows = [dict(zip(names, row)) for row in zip(*columns)]
            self._made_from = (kind, keys, seed)
        self._client.begin(run)

    def log(self, seconds: float, most: int, pace: float = 0, between: str = SPIN, counter: str = "") -> dict[str, Any]:
        """Logs for so long, at most so many steps, `pace` a second (0: as fast as it goes), then finishes.

        Until a paced step is due the thread looks at the clock, or adds up numbers, which takes the caches from the
        next call, or sleeps, which takes the processor from it as well. `counter` is a file in which the number of
        calls that returned always stands. Times of single calls are in microseconds; moments are those of the
        system's clock, which other workers share.
        """
        log, rows, clock = self._client.log, self._rows, time.perf_counter_ns
        counting = os.open(counter, os.O_CREAT | os.O_RDWR, 0o600) if counter else -1
        numbers = [float(number) for number in range(NUMBERS)]
        times: list[int] = []
        took = times.append
        step, distinct = 0, len(rows)
        began, cpu, start = time.time(), time.thread_time(), clock()
        end = start + int(seconds * 1e9)
        while step < most:
            row = rows[step % distinct]
            before = clock()
            log(step, row)
            after = clock()
            took(after - before)
            step += 1
            if counting >= 0:
                os.pwrite(counting, COUNT.pack(step), 0)
            if after >= end:
                break
            if pace:
                due = start + int(step / pace * 1e9)
                while (wait := due - clock()) > 0:
                    if between == WORK:
                        sum(numbers)
                    elif between == SLEEP:
                        time.sleep(wait / 1e9)
        logged, cpu = time.time(), time.thread_time() - cpu
        self._client.finish()
        delivered = time.time()
        times.sort()
        return {
            "steps": step,
            "began": began,
            "logged": logged,
            "delivered": delivered,
            "p50": times[step // 2] / 1e3,
            "p99": times[step * 99 // 100] / 1e3,
            "longest": times[-1] / 1e3,
            "thread_cpu": cpu / step * 1e6,
        }

    def stored(self, run: str) -> dict[str, Any]:
        return {"points": self._client.stored(run)}

    def seed(self, name: str, runs: int, steps: int, kind: str) -> dict[str, Any]:
        return {"runs": self._client.seed(name, runs, steps, kind)}


def main(answers: int, argument: dict[str, Any]) -> None:
    worker = Worker(systems.named(argument["system"]).client(Place(**argument["place"])))
    agents.serve({name: getattr(worker, name) for name in ("begin", "log", "stored", "seed")}, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
