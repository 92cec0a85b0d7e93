"""One sweep under servers and supervisors that are killed, and what came of it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from tracking.server import PATIENCE, Unexpected
from tracking.workplace import Workplace

from trials import leftovers
from trials.account import RETRIES, Account, Attempt, Notes, Trial, account
from trials.fates import Fate
from trials.leftovers import Left
from trials.program import NEEDS

PROGRAM = Path(__file__).with_name("program.py")
DEVICES = 20
TIMEOUT = 5.0  # seconds, of an attempt
MEMORY = "128MB"
LONGEST = 600.0  # seconds that a sweep may take after the last kill


class Size(NamedTuple):
    """Of one sweep."""

    trials: int
    parallel: int
    kills: int  # of servers


class Moment(NamedTuple):
    """When somebody is killed: when so many attempts have begun, and then a while later."""

    begun: int
    delay: float
    is_server: bool


class Sweep:
    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.kills = 0
        self.supervisors = 0  # that were killed
        self.account = Account()
        self.left: Left = leftovers.NOTHING
        self._numbers = random.Random(seed)
        self._points = [(index, gpus) for index in range(size.trials // NEEDS) for gpus in range(NEEDS)]
        self._orphaned: set[tuple[int, int]] = set()
        self.groups = 0  # the most control groups that were seen at a time
        self._place = Workplace(options=("--devices", str(DEVICES), "--sample-every", "1"))
        self._server = self._place.server
        self._folder = Path(self._place.path("place"))
        (self._folder / "held").mkdir(parents=True)
        self._notes = self._folder / "notes"
        self._notes.touch()

    @property
    def root(self) -> str:
        return self._place.root

    def close(self, keep: bool) -> None:
        self._place.close(keep=keep)

    def go(self) -> None:
        self._server.start()
        self._server.ensure_up()
        sweep = self._submit()
        for moment in self._moments():
            if not self._comes(moment, sweep):
                break
            time.sleep(moment.delay)
            self.groups = max(self.groups, len(leftovers.groups(self._server.data)))
            if moment.is_server:
                self._kill_server()
            else:
                self._kill_supervisor()
        self._server.ensure_up()
        self._wait_for(lambda: self._has_ended(sweep), "the end of the sweep", LONGEST)
        self._judge(sweep)
        self._look()
        self._end()

    def _submit(self) -> str:
        command = ["python3", "-ISB", PROGRAM, self._folder, self.seed, self.size.parallel, "${args}"]
        file = self._folder / "sweep.json"
        content = {
            "name": "trials",
            "project": "crash",
            "method": "grid",
            "command": [str(word) for word in command],
            "metric": {"name": "loss", "goal": "minimize"},
            "max_parallel": self.size.parallel,
            "timeout": TIMEOUT,
            "grace": 1,
            "retries": RETRIES,
            "retry_pause": 0.2,
            "resources": {"gpus": "gpus", "memory": MEMORY},
            "parameters": {
                "index": {"values": list(range(self.size.trials // NEEDS))},
                "gpus": {"values": list(range(NEEDS))},
            },
        }
        file.write_text(json.dumps(content, indent=1))
        done = self._server.run("sweep", "run", str(file), "--detach", "--output", self._place.path("out"))
        if done.returncode != 0:
            raise Unexpected(f"the sweep was not taken: {done.stderr}")
        return done.stdout.strip()

    def _moments(self) -> list[Moment]:
        """Spread over the sweep; every fourth server dies while it starts, every fifth time a supervisor instead."""
        numbers, kills = self._numbers, self.size.kills
        begun = sorted(numbers.randrange(1, self.size.trials) for _ in range(kills))
        moments = []
        for at, count in enumerate(begun):
            if at % 5 == 4:
                moments.append(Moment(count, numbers.uniform(0, 0.3), is_server=False))
            is_early = at % 4 == 3
            moments.append(Moment(0 if is_early else count, numbers.uniform(0, 0.4), is_server=True))
        return moments

    # Killing

    def _kill_server(self) -> None:
        self._server.check()
        self._server.end(signal.SIGKILL)
        self.kills += 1
        time.sleep(self._numbers.choice((0, 0, 0.1, 0.6)))
        self._server.start()

    def _kill_supervisor(self) -> None:
        """One of an attempt that lives and that is found without it."""
        records = list(self._supervisors())
        if not records:
            return
        pid, key = self._numbers.choice(sorted(records))
        self._orphaned.add(key)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.supervisors += 1

    def _supervisors(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Those that hold on to a command: their process, and (trial, attempt)."""
        for path in Path(self._server.data).glob("runs/*/attempt-*/attempt.json"):
            if (path.parent / "exit.json").exists():
                continue
            with contextlib.suppress(OSError, ValueError, KeyError):
                record = json.loads(path.read_text())
                pid, command = record["supervisor"]["pid"], record["command"]["pid"]
                environment = Path(f"/proc/{command}/environ").read_bytes().split(b"\0")
                values = dict(word.partition(b"=")[::2] for word in environment)
                key = (int(values[b"MARTLET_TRIAL_ID"]), int(values[b"MARTLET_ATTEMPT"]))
                parent = Path(f"/proc/{command}/stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == pid and Fate(self.seed, *key).can_be_followed:
                    yield pid, key

    # Waiting

    def _comes(self, moment: Moment, sweep: str) -> bool:
        """Whether so many attempts begin; not those of a sweep that is over before."""
        begun = 0

        def is_over() -> bool:
            nonlocal begun
            begun = self._notes.read_bytes().count(b"begin ")
            return begun >= moment.begun or self._has_ended(sweep)

        self._wait_for(is_over, f"attempt {moment.begun}")
        return begun >= moment.begun

    def _has_ended(self, sweep: str) -> bool:
        try:
            found = self._server.get(f"/sweeps/{sweep}")
            if found["max_parallel"] < self.size.parallel and found["state"] == "running":
                # Lowered, since an attempt ran out of memory beside others: here they want no company less.
                self._server.request("PATCH", f"/sweeps/{sweep}", {"max_parallel": self.size.parallel})
        except OSError:  # it is starting
            self._server.check()
            return False
        return found["state"] in ("finished", "failed", "stopped", "paused")

    def _wait_for(self, condition: Callable[[], bool], what: str, longest: float = PATIENCE) -> None:
        end = time.monotonic() + longest
        while not condition():
            self._bury()
            if time.monotonic() > end:
                raise Unexpected(f"{what} did not come within {longest:.0f} s:\n{self._server.log()}")
            time.sleep(0.05)

    def _bury(self) -> None:
        for pid, status in leftovers.bury(self._place.children):
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
                name = signal.Signals(os.WTERMSIG(status)).name
                print(f"crash-trials: orphan {pid} ended by {name}", file=sys.stderr)

    # Judging

    def _judge(self, sweep: str) -> None:
        notes = Notes(self._notes.read_text().splitlines())
        self.account = account(self._points, list(self._trials(sweep)), notes, self._orphaned)
        found = self._server.get(f"/sweeps/{sweep}")
        if found["state"] != "finished":
            self.account.faults.append(f"the sweep is {found['state']}: {found['state_reason']}")
        ended = found["counts"]["complete"] + found["counts"]["failed"]
        if ended != self.size.trials:
            self.account.miss(f"{ended} of {self.size.trials} trials are counted: {found['counts']}")
        with open(Path(found["output_dir"]) / "sweep_summary.csv", newline="") as file:
            rows = Counter(row["run_name"] for row in csv.DictReader(file))
        if len(rows) != self.size.trials or max(rows.values()) > 1:
            self.account.miss(f"sweep_summary.csv has {sum(rows.values())} rows of {len(rows)} runs")

    def _trials(self, sweep: str) -> Iterator[Trial]:
        for trial in self._server.get(f"/sweeps/{sweep}/trials")["items"]:
            attempts = []
            for attempt in self._server.get(f"/runs/{trial['run']}/attempts")["items"]:
                end = attempt["exit"] or {}
                attempts.append(
                    Attempt(
                        attempt["number"],
                        attempt["state"],
                        end.get("code"),
                        end.get("signal"),
                        end.get("reason") or "",
                        tuple(str(device) for device in attempt["devices"] or ()),
                    )
                )
            params = trial["params"]
            point = (params["index"], params["gpus"])
            yield Trial(trial["number"], point, trial["state"], trial["objective"], attempts)

    def _look(self) -> None:
        """What is left once whoever is about to leave has left."""
        end = time.monotonic() + 60
        while True:
            self._bury()
            self.left = leftovers.left(self.root, self._server)
            if not self.left.total or time.monotonic() > end:
                return
            time.sleep(0.1)

    def _end(self) -> None:
        """The server as well, as people end it; what it needed itself goes with it."""
        status = self._server.end(signal.SIGTERM)
        if status != 0:
            self.account.faults.append(f"the server ended with {status} on SIGTERM:\n{self._server.log()}")
        self.left = self.left._replace(cgroups=[*self.left.cgroups, *leftovers.group_folders(self._server.data)])
