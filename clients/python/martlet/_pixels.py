"""Pixels as a PNG file (ISO/IEC 15948), by zlib and struct alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any

from martlet._arrays import flat, is_tensor, lists_of, numpy_of, shape_of
from martlet._values import Unloggable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}  # channels: PNG's colour type
EFFORT = 3  # of zlib: the training waits for it
MOST_LISTED = 4_000_000  # numbers of a picture that is given as nested lists
NONE, UP = 0, 2  # PNG's filters: a row as it is, or its difference to the row above


def png_of(pixels: Any) -> tuple[bytes, int, int]:
    """A PNG of an array or of nested lists, with its width and height.

    H x W, or H x W x C with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA); channels may come first, as in
    PyTorch. uint8 as it is, uint16 at 16 bits, booleans black and white; floats that all lie in 0…1 are scaled by
    255, others taken as 0…255; what lies outside is clipped, NaN is black.
    """
    array = numpy_of(pixels)
    if array is not None:
        return _of_array(array, is_tensor(pixels))
    return _of_lists(lists_of(pixels), is_tensor(pixels))


def _of_array(array: Any, channels_first: bool) -> tuple[bytes, int, int]:
    height, width, channels, turned = _layout(tuple(array.shape), channels_first)
    if turned:
        array = array.transpose(1, 2, 0)
    array = array.reshape(height, width * channels)
    kind = array.dtype.kind
    depth = 8
    if kind == "b":
        array = array.astype("u1") * 255
    elif kind == "f":
        array = array.copy()
        array[array != array] = 0  # NaN  # noqa: PLR0124
        if array.min() >= 0 and array.max() <= 1:
            array = array * 255
        array = array.clip(0, 255) + 0.5
    elif kind == "u" and array.dtype.itemsize == 2:
        depth = 16
    elif kind in "iu":
        array = array.clip(0, 255)
    else:
        raise Unloggable(f"an array of {array.dtype} is no picture")
    rows = array.astype("u1" if depth == 8 else ">u2", order="C").view("u1").reshape(height, -1)
    difference = rows.copy()
    difference[1:] -= rows[:-1]  # modulo 256, as PNG wants it
    return _png(width, height, depth, channels, _filtered(UP, difference.tobytes(), rows.shape[1])), width, height


def _of_lists(nested: Any, channels_first: bool) -> tuple[bytes, int, int]:
    shape = shape_of(nested)
    height, width, channels, turned = _layout(shape, channels_first)
    values = flat(nested, shape, MOST_LISTED)
    if turned:
        plane = height * width
        values = [values[c * plane + i] for i in range(plane) for c in range(channels)]
    if all(type(value) is bool for value in values):
        values = [255 * value for value in values]
    elif any(type(value) is float for value in values):
        values = [float(value) if value == value else 0.0 for value in values]  # noqa: PLR0124
        scale = 255 if min(values) >= 0 and max(values) <= 1 else 1
        values = [value * scale + 0.5 for value in values]
    data = bytes(max(0, min(255, int(max(-1.0, min(256.0, value))))) for value in values)
    return _png(width, height, 8, channels, _filtered(NONE, data, width * channels)), width, height


def _layout(shape: tuple[int, ...], channels_first: bool) -> tuple[int, int, int, bool]:
    """Height, width, channels, and whether these come first."""
    words = " x ".join(map(str, shape))
    if 0 not in shape:
        if len(shape) == 2:
            return shape[0], shape[1], 1, False
        if len(shape) == 3:
            first, last = shape[0] in COLOUR, shape[2] in COLOUR
            if first and (channels_first or not last):
                return shape[1], shape[2], shape[0], True
            if last:
                return shape[0], shape[1], shape[2], False
    raise Unloggable(f"an array of {words or 'no dimensions'} is no picture: H x W, or H x W x 1, 2, 3 or 4 is one")


def _filtered(kind: int, data: bytes, stride: int) -> Iterable[bytes]:
    """The rows, each behind the number of its filter."""
    return (bytes((kind,)) + data[at : at + stride] for at in range(0, len(data), stride))


def _png(width: int, height: int, depth: int, channels: int, rows: Iterable[bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, COLOUR[channels], 0, 0, 0)
    body = zlib.compress(b"".join(rows), EFFORT)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
