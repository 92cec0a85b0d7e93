#!/usr/bin/env python3
"""Sweeps whose trials do whatever programs do wrong, under servers that are killed: `make crash-trials ROUNDS=3`.

Run: python3 Tests/Crash/crash_trials.py [--rounds N] [--seed N]         MARTLET_BIN names the program
A round is a sweep of 200 trials, 16 at a time, on 20 declared devices: they work, fail, crash, hang, take memory
without end, ignore SIGTERM, and leave processes behind; meanwhile 20 servers are killed with SIGKILL, and some
supervisors. In the end every trial is accounted for once, and nothing is left on the machine.
The last line has the figures. Status 1: something was lost, twice, wrong or left over; what is known of it, the seed
that repeats the round, and where its files lie are said before.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
import traceback
from typing import Any

from tracking.server import MARTLET
from trials import leftovers
from trials.account import Account
from trials.sweep import Size, Sweep

SHOWN = 20  # faults


class Figures:
    """Of all rounds."""

    def __init__(self) -> None:
        self.rounds = self.kills = self.supervisors = self.groups = 0
        self.account = Account()
        self.left = leftovers.NOTHING

    def add(self, sweep: Sweep) -> None:
        self.rounds += 1
        self.kills += sweep.kills
        self.supervisors += sweep.supervisors
        self.groups = max(self.groups, sweep.groups)
        self.account += sweep.account
        self.left = leftovers.Left(*(mine + more for mine, more in zip(self.left, sweep.left)))

    @property
    def is_good(self) -> bool:
        return self.account.is_good and not self.left.total

    def __str__(self) -> str:
        found = self.account
        ends = ", ".join(f"{state} {count}" for state, count in sorted(found.ends.items()))
        faults = f", other faults {len(found.faults) - found.twice - found.lost}"
        return (
            f"rounds {self.rounds}; killed {self.kills} servers, {self.supervisors} supervisors; "
            f"trials {found.trials}, attempts {found.attempts} ({ends}), control groups at a time {self.groups}; "
            f"twice {found.twice}, lost {found.lost}{faults}, left over {self.left.total} ({self.left})"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills servers while trials do whatever programs do wrong.")
    parser.add_argument("--rounds", type=int, default=1, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the first round (default: a random one, which is printed)")
    parser.add_argument("--trials", type=int, default=200, help="of a round, a multiple of 4 (default: %(default)s)")
    parser.add_argument("--parallel", type=int, default=16, help="trials at a time (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=20, help="servers killed in a round (default: %(default)s)")
    options = parser.parse_args()
    if not os.access(MARTLET, os.X_OK):
        parser.error(f"{MARTLET} is not built; MARTLET_BIN names another")
    size = Size(max(4, options.trials // 4 * 4), options.parallel, options.kills)
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"crash-trials: {options.rounds} rounds of {size.trials} trials, seed {seed}, {MARTLET}", flush=True)
    signal.signal(signal.SIGTERM, leave)
    leftovers.adopt_orphans()
    figures, began = Figures(), time.monotonic()
    for number in range(options.rounds):
        if not one_round(figures, size, seed + number):
            break
        print(f"crash-trials: after {time.monotonic() - began:.0f} s: {figures}", flush=True)
    print(f"crash-trials: {figures}")
    return 0 if figures.is_good else 1


def one_round(figures: Figures, size: Size, seed: int) -> bool:
    """Whether it was good; of one that was not, all that is known is said."""
    sweep = Sweep(size, seed)
    is_good = False
    try:
        sweep.go()
        is_good = sweep.account.is_good and not sweep.left.total
    except Exception:
        sweep.account.faults.append(traceback.format_exc())
    finally:
        figures.add(sweep)
        sweep.close(keep=not is_good)
    if not is_good:
        for fault in [*sweep.account.faults[:SHOWN], *sweep.left.names]:
            print(f"crash-trials: {fault}")
        more = f"--trials {size.trials} --parallel {size.parallel} --kills {size.kills}"
        print(f"crash-trials: --seed {seed} --rounds 1 {more} repeats the round; its files: {sweep.root}")
    return is_good


def leave(*_: Any) -> None:
    """As after Ctrl-C: what was started is ended."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
