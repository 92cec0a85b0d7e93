#!/usr/bin/env python3
"""Kills servers, senders and trainers at random moments and counts what is lost: `make crash ROUNDS=300`.

Run: python3 Tests/Crash/crash_tracking.py [--rounds N] [--seed N]        MARTLET_BIN names the program
The last line has the figures. Status 1: something was lost, doubled or wrong; what is known of it, the seed that
repeats the batch, and where its files lie are said before.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time

from tracking.campaign import campaign
from tracking.server import MARTLET
from tracking.tally import Tally


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills servers, senders and trainers and counts what is lost.")
    parser.add_argument("--rounds", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the first round (default: a random one, which is printed)")
    options = parser.parse_args()
    if not os.access(MARTLET, os.X_OK):
        parser.error(f"{MARTLET} is not built; MARTLET_BIN names another")
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"crash: {options.rounds} rounds, seed {seed}, {MARTLET}", flush=True)
    began = time.monotonic()

    def tell(tally: Tally) -> None:
        print(f"crash: after {time.monotonic() - began:.0f} s: {tally}", flush=True)

    outcome = campaign(options.rounds, seed, tell)
    print("\n".join(f"crash: {line}" for line in str(outcome).splitlines()))
    return 0 if outcome.tally.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
