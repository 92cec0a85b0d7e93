"""What may be logged: Python's own values as they are, and what can be turned into them (NumPy, PyTorch, …)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

NUMBERS = frozenset((float, int))  # exactly these types are packed without a look (a bool stays a bool)

LONGEST_NAME = 512  # bytes of UTF-8, the server's limit
MOST_NAMES = 10_000  # metrics a run, the server's limit
MOST_ITEMS = 100_000  # values inside one logged value: what is larger belongs in a file
DEEPEST = 32


class Unloggable(ValueError):
    """A value that cannot be kept; the message says why."""


def name_of(key: Any) -> str:
    """A key as a metric's name."""
    name = key if type(key) is str else str(key)
    if not name.isascii():
        name = name.encode("utf-8", "replace").decode("utf-8")
    if not name:
        raise Unloggable("a metric needs a name")
    if len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME:
        raise Unloggable(f"the name {name[:40]!r}… is longer than {LONGEST_NAME} bytes")
    return name


def plain(value: Any) -> Any:
    """`value` made of None, bool, int (64 bits), float, str, list and dict, ready for JSON."""
    return _plain(value, [MOST_ITEMS], DEEPEST)


def described(value: Any) -> Any:
    """As `plain`, but what cannot be kept becomes its text: for configuration, where a trace is better than none."""
    try:
        return plain(value)
    except Unloggable:
        if isinstance(value, Mapping):
            return {_text(str(key)): described(item) for key, item in value.items()}
        return _text(str(value))[:1000]


def _plain(value: Any, left: list[int], depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return _integer(value)
    if kind is str:
        return _text(value)
    left[0] -= 1
    if left[0] < 0 or depth == 0:
        raise Unloggable("the value is too large to log (write it to a file in run.dir instead)")
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item, left, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, left, depth - 1) for item in value]
    if isinstance(value, (str, bool, int, float)):  # subclasses: numpy.float64, enum.IntEnum
        base = next(base for base in (str, int, float) if isinstance(value, base))
        return _plain(base(value), left, depth)
    if isinstance(value, os.PathLike):
        return _text(os.fsdecode(os.fspath(value)))
    return _converted(value, left, depth)


def _converted(value: Any, left: list[int], depth: int) -> Any:
    """Scalars and arrays of other libraries, by the methods these agree on."""
    size = getattr(value, "size", None)
    if callable(size) and hasattr(value, "numel"):  # PyTorch
        size = value.numel()
    if isinstance(size, int) and size > left[0]:
        raise Unloggable(f"an array of {size} values is too large to log (write it to a file in run.dir instead)")
    methods = ("item",) if size == 1 else ("tolist", "item")  # an array of one value is a point
    try:
        for method in (*methods, "__float__"):
            convert = getattr(value, method, None)
            if callable(convert):
                result = convert()
                if result is not value:
                    return _plain(result, left, depth - 1)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise Unloggable(f"a {type(value).__name__} could not be turned into a number: {error}") from error
    raise Unloggable(f"a {type(value).__name__} is neither a number nor text")


def _integer(value: int) -> Any:
    if value.bit_length() < 64:
        return value
    try:
        return float(value)
    except OverflowError as error:
        raise Unloggable("an integer is beyond the range of a double") from error


def _text(value: str) -> str:
    """Without lone surrogates, which UTF-8 cannot hold."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
