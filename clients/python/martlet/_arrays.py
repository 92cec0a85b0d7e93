"""Arrays of other libraries without importing these: NumPy's by their methods, PyTorch's, JAX's and TensorFlow's
through NumPy where it is loaded, and nested lists."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Optional

from martlet._values import DEEPEST, Unloggable


def is_tensor(value: Any) -> bool:
    """A PyTorch tensor, whose pictures and sounds have their channels first."""
    return callable(getattr(value, "detach", None)) and callable(getattr(value, "numel", None))


def numpy_of(value: Any) -> Any:
    """`value` as a NumPy array, or None where that cannot be had without importing NumPy."""
    if is_tensor(value):
        value = value.detach().cpu()
        if str(getattr(value, "dtype", "")).endswith("bfloat16"):  # which NumPy does not know
            value = value.float()
    if type(value).__module__ == "numpy" and hasattr(value, "tobytes") and hasattr(value, "ndim"):
        return value
    numpy = sys.modules.get("numpy")
    if numpy is not None and (hasattr(value, "__array__") or hasattr(value, "__array_interface__")):
        return numpy.asarray(value)
    convert = getattr(value, "numpy", None)
    if callable(convert):
        try:
            return convert()
        except (RuntimeError, TypeError, ImportError):  # PyTorch without NumPy
            return None
    return None


def lists_of(value: Any) -> Any:
    """Nested lists of an array that is none of NumPy's, or `value` itself."""
    if is_tensor(value):
        value = value.detach().cpu()
    convert = getattr(value, "tolist", None)
    return convert() if callable(convert) else value


def shape_of(nested: Any) -> tuple[int, ...]:
    """The shape of nested lists, by the first element of each."""
    shape: list[int] = []
    while isinstance(nested, (list, tuple)) and len(shape) <= DEEPEST:
        shape.append(len(nested))
        if not nested:
            break
        nested = nested[0]
    return tuple(shape)


def flat(nested: Any, shape: Sequence[int], left: int) -> list[Any]:
    """The numbers of nested lists in row-major order. Raises Unloggable where they are not of `shape`."""
    count = 1
    for length in shape:
        count *= length
    if count > left:
        raise Unloggable(f"nested lists of {count:,} values are too large to log; give a NumPy array")
    level: list[Any] = [nested]
    for length in shape:
        if any(not isinstance(item, (list, tuple)) or len(item) != length for item in level):
            raise Unloggable(f"nested lists of {' x '.join(map(str, shape))} values have a part of another length")
        level = [number for item in level for number in item]
    return level


def numbers_of(value: Any, left: int) -> Optional[list[float]]:
    """All numbers of nested lists, of whatever lengths, or of any iterable."""
    found: list[float] = []
    stack = [iter(value)]
    while stack:
        for item in stack[-1]:
            if isinstance(item, (list, tuple)):
                if len(stack) > DEEPEST:  # a list within itself, say
                    raise Unloggable(f"lists within each other are more than {DEEPEST} deep")
                stack.append(iter(item))
                break
            found.append(float(item))
            if len(found) > left:
                return None
        else:
            stack.pop()
    return found
