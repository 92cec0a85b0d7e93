"""What may be logged: Python's own values as they are, and what can be turned into them (NumPy, PyTorch, …)."""

from __future__ import annotations

import contextlib
import numbers
import operator
import os
from collections.abc import Mapping
from typing import Any

# Exactly these types are packed without a look (a bool stays a bool). Those of other libraries that are real numbers
# (numpy.float32, …) join them when they are first seen.
NUMBERS: set[type] = {float, int}
FLOATS = frozenset((float,))

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
    if not name.isprintable() and any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        raise Unloggable("a metric's name has no control characters (a line break, say)")
    if len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME:
        raise Unloggable(f"the name {name[:40]!r}… is longer than {LONGEST_NAME} bytes")
    return name


def plain(value: Any) -> Any:
    """`value` made of None, bool, int (64 bits), float, str, list and dict, ready for JSON."""
    return _plain(value, [MOST_ITEMS], DEEPEST)


def within(value: Any, left: list[int]) -> Any:
    """As `plain`, of one part of a value that may have `left[0]` more parts."""
    return _plain(value, left, DEEPEST)


def described(value: Any, within: tuple[int, ...] = ()) -> Any:
    """As `plain`, but what cannot be kept becomes its text: for configuration, where a trace is better than none.

    `within`: the ids of the mappings that it lies in. Never raises.
    """
    try:
        return plain(value)
    except Exception:  # whatever an object of another library raises that is asked what it is
        if isinstance(value, Mapping) and id(value) not in within and len(within) < DEEPEST:
            with contextlib.suppress(Exception):
                return {words(key): described(item, (*within, id(value))) for key, item in list(value.items())}
        return words(value)[:1000]


def words(value: Any) -> str:
    """As text, whatever it is."""
    try:
        return _text(str(value))
    except Exception:  # it cannot even be printed
        return f"a {type(value).__name__}"


def whole(value: Any) -> int:
    """A whole number of 64 bits, of whatever type. Raises TypeError, or Unloggable."""
    number = int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise Unloggable(f"{number} does not fit into 64 bits")
    return number


def _plain(value: Any, left: list[int], depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return _integer(value)
    if kind is str:
        return _text(value)
    left[0] -= 1
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        left[0] -= len(value)
    if left[0] < 0 or depth == 0:
        raise _too_large()
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item, left, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        if kind is list and FLOATS.issuperset(map(type, value)):  # a vector, at once
            return list(value)
        return [_plain(item, left, depth - 1) for item in value]
    if isinstance(value, (str, int, float)):  # subclasses: numpy.float64, enum.IntEnum
        base = next(base for base in (str, int, float) if isinstance(value, base))
        return _plain(base(value), left, depth)
    if isinstance(value, os.PathLike):
        return _text(os.fsdecode(os.fspath(value)))
    if callable(getattr(value, "isoformat", None)):  # dates and times
        return _text(value.isoformat())
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


def learn(kind: type) -> None:
    """A type whose values are real numbers is packed without a look from now on."""
    if kind is not bool and issubclass(kind, numbers.Real) and len(NUMBERS) < 100:
        NUMBERS.add(kind)


def _too_large() -> Unloggable:
    return Unloggable("the value is too large to log (write it to a file in run.dir instead)")


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
