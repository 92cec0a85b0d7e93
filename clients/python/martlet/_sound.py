"""Samples as a WAV file (RIFF, PCM)."""

from __future__ import annotations

import array
import struct
import sys
from typing import Any

from martlet._arrays import flat, is_tensor, lists_of, numpy_of, shape_of
from martlet._values import Unloggable

MOST_CHANNELS = 32
MOST_LISTED = 10_000_000  # samples that are given as lists


def wav_of(samples: Any, rate: Any) -> tuple[bytes, float]:
    """A WAV file of samples, and its length in seconds.

    n samples, or n x channels (channels x n of a PyTorch tensor, or where only that gives few channels). Floats of
    -1…1 become 16 bits, what lies outside is clipped; int16, int32 and uint8 stay as they are.
    """
    if type(rate) is not int or not 1 <= rate <= 10_000_000:
        raise Unloggable(f"samples need their rate: Audio(samples, sample_rate=44100), not {rate!r}")
    data = numpy_of(samples)
    nested = None if data is not None else lists_of(samples)
    shape = tuple(data.shape) if data is not None else shape_of(nested)
    count, channels, turned = _layout(shape, is_tensor(samples))
    if data is not None:
        content, width = _of_array(data.transpose(1, 0) if turned else data)
    else:
        values = flat(nested, shape, MOST_LISTED)
        if turned:
            values = [values[c * count + i] for i in range(count) for c in range(channels)]
        content, width = _of_values(values)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(content), b"WAVE")
    frame = channels * width
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, 8 * width)
    return head + form + struct.pack("<4sI", b"data", len(content)) + content, count / rate


def _layout(shape: tuple[int, ...], channels_first: bool) -> tuple[int, int, bool]:
    """Samples a channel, channels, and whether these come first."""
    if len(shape) == 1 and shape[0]:
        return shape[0], 1, False
    if len(shape) == 2 and 0 not in shape:
        first, last = shape[0] <= MOST_CHANNELS, shape[1] <= MOST_CHANNELS
        if first and (channels_first or not last):
            return shape[1], shape[0], True
        if last:
            return shape[0], shape[1], False
    raise Unloggable(f"an array of {' x '.join(map(str, shape)) or 'no dimensions'} is no sound: n, or n x channels is")


def _of_array(data: Any) -> tuple[bytes, int]:
    kind, width = data.dtype.kind, data.dtype.itemsize
    if kind == "f":
        data = data.astype("f8")
        data[data != data] = 0  # NaN  # noqa: PLR0124
        return (data.clip(-1, 1) * 32767).round().astype("<i2").tobytes(), 2
    if (kind, width) in (("i", 2), ("i", 4)):
        return data.astype(f"<i{width}").tobytes(), width
    if (kind, width) == ("u", 1):
        return data.tobytes(), 1
    raise Unloggable(f"samples of {data.dtype} are none: floats, int16, int32 and uint8 are")


def _of_values(values: list[Any]) -> tuple[bytes, int]:
    if any(type(value) is float for value in values):
        values = [round(max(-1.0, min(1.0, value)) * 32767) if value == value else 0 for value in values]  # noqa: PLR0124
    try:
        packed = array.array("h", values)
    except (OverflowError, TypeError) as error:
        raise Unloggable(f"samples are floats of -1…1 or integers of 16 bits: {error}") from error
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes(), 2
