"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tracking.options import ROOT

NAME = "bench-execution"
SECTIONS = ("speedup", "overhead", "flat", "supervisors")
PEERS = ("xargs", "parallel", "hyperqueue", "ray", "ray-tune", "mlflow")
USUAL_PEERS = "xargs,parallel,hyperqueue"


@dataclass(frozen=True)
class Options:
    repetitions: int  # of each cell; figures are medians over them
    trials: int  # of /bin/true in a cell of `overhead`
    parallel: tuple[int, ...]  # trials at a time there, a cell each
    peers: tuple[str, ...]
    sections: tuple[str, ...]
    sizes: tuple[int, ...]  # sweeps of `flat`, in trials
    seconds: float  # that a trial of `speedup` sleeps
    martlet: Path  # the program
    out: Path  # folder of the JSON files

    def as_json(self) -> dict[str, Any]:
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def from_environment() -> Options:
    """The options; a wrong one ends the program with a sentence."""
    wanted = os.environ.get("PEERS") or USUAL_PEERS
    peers = {"all": ",".join(PEERS), "none": ""}.get(wanted, wanted)
    return Options(
        repetitions=_whole("REPS", "3")[0],
        trials=_whole("TRIALS", "500")[0],
        parallel=_whole("AT_ONCE", "2,8"),
        peers=_chosen("PEERS", peers, PEERS),
        sections=_chosen("ONLY", os.environ.get("ONLY") or ",".join(SECTIONS), SECTIONS),
        sizes=_whole("SIZES", "100,1000,10000"),
        seconds=_number("SLEEP", 1.0),
        martlet=Path(os.environ.get("MARTLET") or ROOT / ".build" / "release" / "martlet").resolve(),
        out=Path(os.environ.get("OUT") or ROOT / "out" / NAME).resolve(),
    )


def _chosen(variable: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if word not in known:
            sys.exit(f"{NAME}: {variable} knows no '{word}'; it takes some of {','.join(known)}")
    return words


def _whole(variable: str, usual: str) -> tuple[int, ...]:
    """One number, or several with commas between them."""
    words = [word.strip() for word in (os.environ.get(variable) or usual).split(",")]
    for word in words:
        if not word.isdecimal() or int(word) == 0:
            sys.exit(f"{NAME}: {variable} takes whole numbers from 1 on, not '{word}'")
    return tuple(int(word) for word in words)


def _number(variable: str, usual: float) -> float:
    text = os.environ.get(variable)
    try:
        number = float(text) if text else usual
    except ValueError:
        number = 0.0
    if not 0.05 <= number <= 60:
        sys.exit(f"{NAME}: {variable} takes seconds from 0.05 to 60, not '{text}'")
    return number
