"""Runs trials through a peer, in that peer's environment, when told to.

The agent `execution.launching`; its argument is {"system": name, "parallel": n, "scratch": directory}.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tracking import agents

from execution import systems


def main(answers: int, system: str, parallel: int, scratch: str) -> None:
    launcher = systems.named(system).launcher(parallel, scratch)

    def run(trials: int) -> dict[str, Any]:
        began = time.monotonic()
        worked = launcher.run(trials)
        return {"wall": time.monotonic() - began, "worked": worked}

    def close() -> None:
        launcher.close()

    agents.serve({"run": run, "close": close}, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), **json.loads(sys.argv[2]))
