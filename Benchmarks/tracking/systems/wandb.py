"""Weights & Biases kept offline: its client, its helper process, and the file that they write."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from typing import Any

from tracking.systems.base import Client, Place, System


class WandB(System):
    name = "wandb"
    environment_name = "wandb"
    has_server = False
    most_steps = 30_000

    def environment(self, place: Place) -> dict[str, str]:
        return {
            **super().environment(place),
            "WANDB_MODE": "offline",
            "WANDB_DIR": place.data,
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB_ERROR_REPORTING": "false",
        }

    def client(self, place: Place) -> Client:
        return WandBClient(place)


class WandBClient(Client):
    def __init__(self, place: Place) -> None:
        import wandb

        self._wandb = wandb
        self._data = place.data
        self._run: Any = None

    def begin(self, run: str) -> None:
        directory = f"{self._data}/{run}"
        os.makedirs(directory, exist_ok=True)
        settings = self._wandb.Settings(silent=True, x_disable_stats=True, console="off")
        self._run = self._wandb.init(
            mode="offline", project="bench", name=run, dir=directory, config={"lr": 0.1}, settings=settings
        )

    def log(self, step: int, row: Mapping[str, float]) -> None:
        self._run.log(row, step=step)

    def finish(self) -> None:
        self._run.finish()

    def stored(self, run: str) -> int:
        from wandb.proto.wandb_internal_pb2 import Record

        count = 0
        for path in glob.glob(f"{self._data}/{run}/wandb/offline-run-*/*.wandb"):
            with open(path, "rb") as file:
                content = file.read()
            for record in _records(content):
                history = Record.FromString(record).history.item
                # A key's name is in `key`, or in `nested_key` where it stands for a path.
                keys = [item.key or "/".join(item.nested_key) for item in history]
                count += sum(1 for key in keys if key.startswith("train/loss_"))
        return count


def _records(content: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log: after a header of 7 bytes blocks of 32 KiB, in them pieces of
    crc (4), length (2), type (1: whole, 2: first, 3: middle, 4: last) and content."""
    at, record = 7, b""
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        if kind == 0 or at + 7 + length > len(content):
            return
        piece = content[at + 7 : at + 7 + length]
        at += 7 + length
        record = piece if kind in (1, 2) else record + piece
        if kind in (1, 4):
            yield record


SYSTEM = WandB()
