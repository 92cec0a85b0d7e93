"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.settings import Settings

NAME = "bench-tracking"
SECTIONS = ("ingest", "alone", "size", "log", "queries", "runs", "live", "idle", "aged", "soak")
RARE = ("aged", "soak")  # only where they are named
PEERS = ("trackio", "mlflow", "wandb", "tensorboard")
USUAL_PEERS = "trackio,mlflow"
VALUES = ("f32", "f64")


@dataclass(frozen=True)
class Options:
    repetitions: int  # of each cell; figures are medians over them
    seconds: float  # that a client logs in a cell
    clients: tuple[int, ...]  # how many processes log at a time, a cell each
    values: tuple[str, ...]  # f32: widened from float32; f64: full doubles
    peers: tuple[str, ...]
    is_full: bool  # PEERS=all: peers also answer queries and are killed, which takes minutes
    sections: tuple[str, ...]
    load: int  # points that a load generator sends in a cell
    series: int  # points of the long series
    runs: int  # that lie in the idle store
    soak: float  # seconds of logging while slow clients watch
    martlet: Path  # the program
    out: Path  # folder of the JSON files

    def as_json(self) -> dict[str, Any]:
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def from_environment() -> Options:
    """The options; a wrong one ends the program with a sentence."""
    settings = Settings(NAME)
    sections = settings.chosen("ONLY", ",".join(name for name in SECTIONS if name not in RARE), SECTIONS)
    if settings.text("AGED") == "1" and "aged" not in sections:
        sections += ("aged",)
    return Options(
        repetitions=settings.whole("REPS", 3),
        seconds=settings.seconds("SECS", 5, least=0.1, most=600),
        clients=settings.wholes("CLIENTS", "1,8"),
        values=settings.chosen("VALUES", "f32,f64", VALUES),
        peers=settings.peers(USUAL_PEERS, PEERS),
        is_full=settings.text("PEERS") == "all",
        sections=sections,
        load=settings.whole("LOAD", 4_000_000),
        series=settings.whole("SERIES", 1_000_000),
        runs=settings.whole("RUNS", 100_000),
        soak=settings.seconds("SOAK", 300, least=0.1, most=86_400),
        martlet=settings.program(),
        out=settings.out(),
    )
