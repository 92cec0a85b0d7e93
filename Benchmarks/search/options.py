"""What a run of the benchmark does, said by environment variables."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from tracking.options import ROOT

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
    name: str  # what Martlet is called in tables
    command: tuple[str, ...]  # what speaks the line protocol
    martlet: Path  # the program
    out: Path  # folder of rows, tables and JSON files

    def as_json(self) -> dict[str, Any]:
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def from_environment() -> Options:
    """The options; a wrong one ends the program with a sentence."""
    wanted = os.environ.get("PEERS") or USUAL_PEERS
    peers = {"all": ",".join(PEERS), "none": ""}.get(wanted, wanted)
    martlet = Path(os.environ.get("MARTLET") or ROOT / ".build" / "release" / "martlet").resolve()
    command = tuple(shlex.split(os.environ.get("SERVE", ""))) or (str(martlet), "sweep", "serve")
    yahpo = os.environ.get("YAHPO")
    seeds = _ranges("SEEDS", "0-9")
    return Options(
        sections=_chosen("ONLY", os.environ.get("ONLY") or ",".join(SECTIONS), SECTIONS),
        methods=_words("METHODS", USUAL_METHODS),
        peers=_chosen("PEERS", peers, PEERS),
        problems=_words("PROBLEMS", ""),
        seeds=seeds,
        trials=_whole("TRIALS", "200")[0],
        slow_seeds=_ranges("SLOW_SEEDS", ",".join(map(str, seeds[:SLOW_SEEDS]))),
        slow_trials=_whole("SLOW_TRIALS", "100")[0],
        at=tuple(sorted(_whole("AT", "50,100,200"))),
        workers=_whole("WORKERS", "8")[0],
        sizes=tuple(sorted(_whole("SIZES", "100,1000,10000"))),
        dimensions=_whole("DIMENSIONS", "10,30"),
        epochs=_whole("EPOCHS", "1500")[0],
        limit=_limit(),
        yahpo=Path(yahpo).expanduser().resolve() if yahpo else None,
        rows=_words("ROWS", ""),
        name=os.environ.get("NAME") or "martlet",
        command=command,
        martlet=Path(command[0]).resolve(),
        out=Path(os.environ.get("OUT") or ROOT / "out" / NAME).resolve(),
    )


def _words(variable: str, usual: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in (os.environ.get(variable) or usual).split(",") if word.strip())


def _chosen(variable: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if word not in known:
            sys.exit(f"{NAME}: {variable} knows no '{word}'; it takes some of {','.join(known)}")
    return words


def _whole(variable: str, usual: str) -> tuple[int, ...]:
    """One number, or several with commas between them."""
    words = _words(variable, usual)
    for word in words:
        if not word.isdecimal() or int(word) == 0:
            sys.exit(f"{NAME}: {variable} takes whole numbers from 1 on, not '{word}'")
    return tuple(int(word) for word in words)


def _ranges(variable: str, usual: str) -> tuple[int, ...]:
    """As 0-9, 3 or 0-2,7."""
    seeds: list[int] = []
    for word in _words(variable, usual):
        first, _, last = word.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            sys.exit(f"{NAME}: {variable} takes numbers and ranges as 0-2,7, not '{word}'")
        seeds += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(seeds))


def _limit() -> Optional[float]:
    text = os.environ.get("LIMIT")
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        sys.exit(f"{NAME}: LIMIT takes whole seconds from 1 on, not '{text}'")
    return float(text)
