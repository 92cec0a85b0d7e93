"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from harness.settings import Settings

from search.optimizers import PEERS

NAME = "bench-search"
SECTIONS = ("conformance", "quality", "pending", "fronts", "parallel", "latency", "stopping")
USUAL_PEERS = "optuna-tpe,optuna-gp,optuna-cmaes,optuna-nsga2"
SLOW_SEEDS = 3  # the first so many of SEEDS
USUAL_METHODS = "auto,gp,tpe,cmaes,nsga2"


@dataclass(frozen=True)
class Options:
    sections: tuple[str, ...]
    methods: tuple[str, ...]  # of Martlet's; `hello` says which there are
    peers: tuple[str, ...]
    problems: tuple[str, ...]  # words that names of problems contain; none: all of them
    seeds: tuple[int, ...]
    trials: int  # of a run
    slow_seeds: tuple[int, ...]  # of peers that are slow
    slow_trials: int
    at: tuple[int, ...]  # trials after which scores are taken
    workers: int  # trials under way in `pending`
    sizes: tuple[int, ...]  # trials that were seen, in `latency`
    dimensions: tuple[int, ...]
    epochs: int  # of a run of `stopping`
    limit: Optional[float]  # seconds after which nothing new is begun
    yahpo: Optional[Path]  # the surrogates' folder
    rows: tuple[str, ...]  # files of runs that are read as well
    keep: Optional[Path]  # where the peers' runs go, condensed
    name: str  # what Martlet is called in tables
    command: tuple[str, ...]  # what speaks the line protocol
    martlet: Path  # the program
    out: Path  # folder of rows, tables and JSON files

    def as_json(self) -> dict[str, Any]:
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def from_environment() -> Options:
    """The options; a wrong one ends the program with a sentence."""
    settings = Settings(NAME)
    martlet = settings.program()
    command = tuple(shlex.split(settings.text("SERVE"))) or (str(martlet), "sweep", "serve")
    seeds = settings.ranges("SEEDS", "0-9")
    return Options(
        sections=settings.chosen("ONLY", ",".join(SECTIONS), SECTIONS),
        methods=settings.words("METHODS", USUAL_METHODS),
        peers=settings.peers(USUAL_PEERS, PEERS),
        problems=settings.words("PROBLEMS"),
        seeds=seeds,
        trials=settings.whole("TRIALS", 200),
        slow_seeds=settings.ranges("SLOW_SEEDS", ",".join(map(str, seeds[:SLOW_SEEDS]))),
        slow_trials=settings.whole("SLOW_TRIALS", 100),
        at=tuple(sorted(settings.wholes("AT", "50,100,200"))),
        workers=settings.whole("WORKERS", 8),
        sizes=tuple(sorted(settings.wholes("SIZES", "100,1000,10000"))),
        dimensions=settings.wholes("DIMENSIONS", "10,30"),
        epochs=settings.whole("EPOCHS", 1500),
        limit=float(settings.whole("LIMIT", 1)) if settings.text("LIMIT") else None,
        yahpo=_path(settings.text("YAHPO")),
        rows=settings.words("ROWS"),
        keep=_path(settings.text("KEEP")),
        name=settings.text("NAME", "martlet"),
        command=command,
        martlet=Path(command[0]).resolve(),
        out=settings.out(),
    )


def _path(text: str) -> Optional[Path]:
    return Path(text).expanduser().resolve() if text else None
