"""What a file holds, by its first bytes, and the size of a picture."""

from __future__ import annotations

import mimetypes
import struct
from typing import Optional

HEAD = 64 << 10  # bytes that are looked at: a JPEG's size stands behind its thumbnail

_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
)


def media_type(head: bytes, name: Optional[str] = None) -> Optional[str]:
    """By the bytes, else by the name's ending; None when neither tells."""
    found = next((kind for at, magic, kind in _MAGIC if head[at : at + len(magic)] == magic), None)
    return found or (mimetypes.guess_type(name)[0] if name else None)


def picture_size(head: bytes) -> Optional[tuple[int, int]]:
    """Width and height of a PNG, GIF, JPEG or WebP, where its head tells them."""
    try:
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return _pair(">II", head, 16)
        if head[:4] == b"GIF8":
            return _pair("<HH", head, 6)
        if head[8:16] == b"WEBPVP8X":
            return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        if head[8:16] == b"WEBPVP8 ":
            width, height = _pair("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        if head[:2] == b"\xff\xd8":
            return _jpeg_size(head)
    except struct.error:
        return None
    return None


def _jpeg_size(head: bytes) -> Optional[tuple[int, int]]:
    """From the start-of-frame segment (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _pair(">HH", head, at + 5)
            return width, height
        (length,) = struct.unpack_from(">H", head, at + 2)
        at += 2 + length
    return None


def _pair(layout: str, head: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, head, at)
    return first, second
