"""GNU parallel, with its log of jobs, as those use it who want to go on after a crash."""

from __future__ import annotations

import os
import subprocess

from execution.systems.base import COMMAND, Launcher, System


class Parallel(System):
    name = "parallel"
    program = "parallel"

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return ParallelLauncher(parallel, scratch)


class ParallelLauncher(Launcher):
    def run(self, trials: int) -> int:
        log = os.path.join(self.scratch, "joblog")
        numbers = "".join(f"{number}\n" for number in range(trials))
        command = ["parallel", "--will-cite", "-j", str(self.parallel), "--joblog", log, COMMAND, "{}"]
        subprocess.run(command, input=numbers, text=True, check=True)
        with open(log, encoding="utf-8") as file:
            return sum(line.split("\t")[6] == "0" for line in file.read().splitlines()[1:])


SYSTEM = Parallel()
