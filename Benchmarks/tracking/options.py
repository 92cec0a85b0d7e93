"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

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
    wanted = os.environ.get("PEERS") or USUAL_PEERS
    peers = {"all": ",".join(PEERS), "none": ""}.get(wanted, wanted)
    sections = list(_names("ONLY", ",".join(name for name in SECTIONS if name not in RARE), SECTIONS))
    if os.environ.get("AGED") == "1" and "aged" not in sections:
        sections.append("aged")
    return Options(
        repetitions=_whole("REPS", 3),
        seconds=_number("SECS", 5.0),
        clients=tuple(_positive("CLIENTS", word) for word in (os.environ.get("CLIENTS") or "1,8").split(",")),
        values=_names("VALUES", "f32,f64", VALUES),
        peers=_chosen("PEERS", peers, PEERS),
        is_full=wanted == "all",
        sections=tuple(sections),
        load=_whole("LOAD", 4_000_000),
        series=_whole("SERIES", 1_000_000),
        runs=_whole("RUNS", 100_000),
        soak=_number("SOAK", 300.0, most=86_400),
        martlet=Path(os.environ.get("MARTLET") or ROOT / ".build" / "release" / "martlet").resolve(),
        out=Path(os.environ.get("OUT") or ROOT / "out" / "bench-tracking").resolve(),
    )


def _names(variable: str, usual: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return _chosen(variable, os.environ.get(variable) or usual, known)


def _chosen(variable: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if word not in known:
            sys.exit(f"bench-tracking: {variable} knows no '{word}'; it takes some of {','.join(known)}")
    return words


def _whole(variable: str, usual: int) -> int:
    text = os.environ.get(variable)
    return _positive(variable, text) if text else usual


def _positive(variable: str, text: str) -> int:
    if not text.strip().isdecimal() or int(text) == 0:
        sys.exit(f"bench-tracking: {variable} takes whole numbers from 1 on, not '{text}'")
    return int(text)


def _number(variable: str, usual: float, most: float = 600) -> float:
    text = os.environ.get(variable)
    try:
        number = float(text) if text else usual
    except ValueError:
        number = 0.0
    if not 0.1 <= number <= most:
        sys.exit(f"bench-tracking: {variable} takes seconds from 0.1 to {most:.0f}, not '{text}'")
    return number
