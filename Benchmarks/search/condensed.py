"""Finished runs in a small file: only the trials that decide a score, one line a run.

Of a run these are kept: its first trial, its last, the one with the highest true value, and each that is better than
all before it, or with several objectives belongs to the front of those so far. Any other is read as a repetition of the
one before it, which changes neither incumbent nor hypervolume; times of asks are not kept.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from search.steps import Key, Step

SUFFIX = ".csv.gz"
COLUMNS = ("problem", "algo", "seed", "workers", "steps")


def write(path: Path, runs: Mapping[Key, Sequence[Step]]) -> None:
    """The same runs make the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    text.write(",".join(COLUMNS) + "\n")
    for key in sorted(runs):
        steps = runs[key]
        words = ";".join(f"{place + 1}:{_words(steps[place])}" for place in _deciding(steps))
        text.write(f"{key.problem},{key.searcher},{key.seed},{key.workers},{words}\n")
    new = path.with_name(path.name + ".new")
    new.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    new.replace(path)


def read(path: Path) -> Iterator[tuple[Key, list[Step]]]:
    """Raises ValueError where the file is something else."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        if file.readline().rstrip("\n") != ",".join(COLUMNS):
            raise ValueError(f"{path} does not hold runs that this benchmark has condensed")
        for line in file:
            problem, searcher, seed, workers, words = line.rstrip("\n").split(",")
            steps: list[Step] = []
            for word in words.split(";"):
                place, _, values = word.partition(":")
                step = _step(values)
                # Those between are like the one before them, but for their times.
                while len(steps) + 1 < int(place):
                    steps.append(steps[-1])
                steps.append(step)
            yield Key(problem, searcher, int(seed), int(workers)), steps


def _deciding(steps: Sequence[Step]) -> list[int]:
    """The places of those that are kept, ascending."""
    kept = {0, len(steps) - 1, max(range(len(steps)), key=lambda place: steps[place].true[0])}
    if len(steps[0].true) > 1:
        front: list[Sequence[float]] = []
        for place, step in enumerate(steps):
            if not any(all(a <= b for a, b in zip(other, step.true)) for other in front):
                front = [other for other in front if not all(a <= b for a, b in zip(step.true, other))]
                front.append(step.true)
                kept.add(place)
        return sorted(kept)
    best = float("inf")
    for place, step in enumerate(steps):
        if all(constraint <= 0 for constraint in step.constraints) and step.seen[0] < best:
            best = step.seen[0]
            kept.add(place)
    return sorted(kept)


def _words(step: Step) -> str:
    seen = [] if step.seen == step.true else step.seen
    parts = [_numbers(step.true), _numbers(seen), _numbers(step.constraints), f"{step.clock:.6g}"]
    return "/".join(parts)


def _step(words: str) -> Step:
    true, seen, constraints, clock = words.split("/")
    values = _values(true)
    return Step(values, _values(seen) or values, _values(constraints), 0.0, float(clock))


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _values(text: str) -> list[float]:
    return [float(word) for word in text.split()]
