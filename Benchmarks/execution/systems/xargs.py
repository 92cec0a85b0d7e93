"""xargs: the floor. It starts processes and keeps no record of them."""

from __future__ import annotations

import subprocess

from execution.systems.base import COMMAND, Launcher, System


class Xargs(System):
    name = "xargs"
    program = "xargs"

    def launcher(self, parallel: int, scratch: str) -> Launcher:
        return XargsLauncher(parallel, scratch)


class XargsLauncher(Launcher):
    def run(self, trials: int) -> int:
        numbers = "".join(f"{number}\n" for number in range(trials))
        done = subprocess.run(["xargs", "-P", str(self.parallel), "-I{}", COMMAND], input=numbers, text=True)
        return trials if done.returncode == 0 else 0


SYSTEM = Xargs()
