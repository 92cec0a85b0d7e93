"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.settings import Settings

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
    settings = Settings(NAME)
    return Options(
        repetitions=settings.whole("REPS", 3),
        trials=settings.whole("TRIALS", 500),
        parallel=settings.wholes("AT_ONCE", "2,8"),
        peers=settings.peers(USUAL_PEERS, PEERS),
        sections=settings.chosen("ONLY", ",".join(SECTIONS), SECTIONS),
        sizes=settings.wholes("SIZES", "100,1000,10000"),
        seconds=settings.seconds("SLEEP", 1, least=0.05, most=60),
        martlet=settings.program(),
        out=settings.out(),
    )
