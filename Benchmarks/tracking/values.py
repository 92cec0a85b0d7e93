"""The benchmark's values: seeded training losses with noise and rare spikes, the same for every system.

Also run inside the peers' environments, so it needs nothing but the standard library.
"""

from __future__ import annotations

import math
import random
import struct
from array import array

SPIKES = 0.001  # the share of steps on which a loss leaps


def losses(kind: str, keys: int, steps: int, seed: int) -> list[array[float]]:
    """A column of `steps` losses for each key. Key j falls from about 2 + j to a floor of its own, with noise in
    proportion to its height.

    kind `f64`: full doubles. `f32`: rounded to float32 and widened again, as `tensor.item()` gives them.
    """
    columns = []
    for key in range(keys):
        source = random.Random(seed * 1009 + key)
        floor, height = 0.05 + 0.1 * source.random(), 2.0 + key
        decay, noise = 500 + 4000 * source.random(), 0.02 + 0.08 * source.random()
        column = array("d")
        for step in range(steps):
            value = (floor + (height - floor) * math.exp(-step / decay)) * (1 + noise * source.gauss(0, 1))
            if source.random() < SPIKES:
                value += height * source.random()
            column.append(value)
        columns.append(as_float32(column) if kind == "f32" else column)
    return columns


def as_float32(column: array[float]) -> array[float]:
    """Each value rounded to the nearest float32 and widened to a double."""
    layout = struct.Struct(f"{len(column)}f")
    return array("d", layout.unpack(layout.pack(*column)))


def times(steps: int, seed: int, start: int = 1_790_000_000_000_000) -> array[int]:
    """When each step was logged, in microseconds: 20 ms a step, with a normal jitter of 1 ms."""
    source = random.Random(seed * 7919 + 1)
    column, now = array("q"), start
    for _ in range(steps):
        now += max(1, round(source.gauss(20_000, 1_000)))
        column.append(now)
    return column


def names(keys: int) -> list[str]:
    return [f"train/loss_{key}" for key in range(keys)]
