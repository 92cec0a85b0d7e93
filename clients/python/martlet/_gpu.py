"""The machine's NVIDIA GPUs, asked of `nvidia-smi` where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any, Optional

SECONDS = 10.0  # for one answer
_MIB = 1 << 20


def devices() -> list[dict[str, Any]]:
    """Name, memory and driver of each that this program may see."""
    return [
        {"name": row[1], "memory_bytes": _scaled(row[2], _MIB), "driver": row[3]}
        for row in _ask("index,name,memory.total,driver_version", 4)
    ]


def samples() -> dict[str, float]:
    """What they do now: `gpu.<n>/utilization` and the like; a value that a device does not tell is left out."""
    found: dict[str, float] = {}
    rows = _ask("index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw", 6)
    for index, utilization, used, total, temperature, power in rows:
        own = {
            "utilization": _number(utilization),
            "memory": _scaled(used, _MIB),
            "memory_percent": _percent(_number(used), _number(total)),
            "temperature": _number(temperature),
            "power": _number(power),
        }
        found.update({f"gpu.{index}/{name}": value for name, value in own.items() if value is not None})
    return found


def is_there() -> bool:
    """There is a program to ask, and the program that we watch may see a device."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (visible is None or bool(visible.strip())) and shutil.which("nvidia-smi") is not None


def _ask(columns: str, count: int) -> list[list[str]]:
    """The rows of the devices that CUDA_VISIBLE_DEVICES names, or of all."""
    if not is_there():
        return []
    command = ["nvidia-smi", f"--query-gpu=uuid,{columns}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.decode("utf-8", "replace").splitlines()]
    rows = [row for row in rows if len(row) == count + 1 and row[1].isdecimal()]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        rows = _chosen(rows, visible)
    return [row[1:] for row in rows]


def _chosen(rows: list[list[str]], visible: str) -> list[list[str]]:
    """As CUDA reads it: up to the first name that is none (`-1` hides all that follow). A part of a device (MIG) is
    nobody's whole one: where its name does not tell the device, none is taken."""
    found = []
    for given in visible.split(","):
        name = given.strip().partition("/")[0]
        name = name[4:] if name.startswith("MIG-GPU-") else name
        own = (row for row in rows if row[1] == name or (name.startswith("GPU-") and row[0].startswith(name)))
        row = next(own, None)
        if row is None:
            break
        found.append(row)
    return [row for row in rows if row in found]


def _number(text: str) -> Optional[float]:
    try:
        return float(text)  # "[N/A]", "[Not Supported]"
    except ValueError:
        return None


def _scaled(text: str, by: int) -> Optional[int]:
    number = _number(text)
    return None if number is None else int(number * by)


def _percent(part: Optional[float], whole: Optional[float]) -> Optional[float]:
    return None if part is None or not whole else 100 * part / whole
