"""Pictures, sounds, films, pages and files as values of a row."""

from __future__ import annotations

import io
import os
from typing import Any, Optional, Union

from martlet import _pixels, _sniff, _sound
from martlet._typed import Blobs, Typed, opened
from martlet._values import Unloggable

Source = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]"]


class Media(Typed):
    """Bytes with a type, a name and a caption. It is read when it is logged: a file is copied then."""

    _type = "file"
    _wants = ""  # what its media type begins with

    def __init__(self, data: Any, caption: Optional[str] = None, *, name: Optional[str] = None) -> None:
        self._data = data
        self._caption = caption
        self._name = name

    def encode(self, blobs: Blobs) -> dict[str, Any]:
        content, known = self._content()
        if isinstance(content, bytes):
            head, name = content[: _sniff.HEAD], self._name
            kept = blobs.keep((content,), len(content))
        else:
            with opened(content) as file:
                head = file.read(_sniff.HEAD)
            name = self._name or os.path.basename(content)
        media_type = known.pop("media_type", None) or _sniff.media_type(head, name)
        if self._wants and not (media_type or "").startswith(self._wants):
            raise Unloggable(f"these bytes are of no known {self._type} format ({media_type or 'unknown'})")
        if not isinstance(content, bytes):
            kept = blobs.keep_file(content)
        if self._type == "image" and "width" not in known:
            size = _sniff.picture_size(head)
            known.update({"width": size[0], "height": size[1]} if size else {})
        labels = {"name": name, "caption": self._caption}
        labels = {key: str(value) for key, value in labels.items() if value is not None}
        return {"_type": self._type, **kept, "media_type": media_type or _ANYTHING, **labels, **known}

    def _content(self) -> tuple[Union[bytes, str], dict[str, Any]]:
        """The bytes, or the path of a file that has them; and what is known of them."""
        content = _bytes_or_path(self._data)
        if content is None:
            raise Unloggable(f"{type(self).__name__} takes bytes or a path, not a {type(self._data).__name__}")
        return content, {}


class Image(Media):
    """A picture: the path or the bytes of an image file, a PIL image, a Matplotlib figure, a NumPy array, a PyTorch
    tensor, or nested lists (`_pixels.png_of` says of which shapes and ranges)."""

    _type = "image"
    _wants = "image/"

    def _content(self) -> tuple[Union[bytes, str], dict[str, Any]]:
        content = _bytes_or_path(self._data)
        if content is not None:
            return content, {}
        for method, options in (("savefig", {"format": "png"}), ("save", {"format": "PNG"})):
            save = getattr(self._data, method, None)
            if callable(save):  # Matplotlib's figures, PIL's images
                file = io.BytesIO()
                save(file, **options)
                return file.getvalue(), {}
        png, width, height = _pixels.png_of(self._data)
        return png, {"media_type": "image/png", "width": width, "height": height}


class Audio(Media):
    """A sound: the path or the bytes of an audio file, or samples (`_sound.wav_of`) with their rate in hertz."""

    _type = "audio"
    _wants = "audio/"

    def __init__(
        self, data: Any, sample_rate: Optional[int] = None, caption: Optional[str] = None, *, name: Optional[str] = None
    ) -> None:
        super().__init__(data, caption, name=name)
        self._rate = sample_rate

    def _content(self) -> tuple[Union[bytes, str], dict[str, Any]]:
        content = _bytes_or_path(self._data)
        if content is not None:
            return content, {}
        wav, seconds = _sound.wav_of(self._data, self._rate)
        return wav, {"media_type": "audio/wav", "duration_s": seconds}


class Video(Media):
    """A film: the path or the bytes of a video file (MP4, WebM, GIF, …)."""

    _type = "video"

    def _content(self) -> tuple[Union[bytes, str], dict[str, Any]]:
        content = _bytes_or_path(self._data)
        if content is None:
            raise Unloggable(f"Video takes the path or the bytes of a film, not a {type(self._data).__name__}")
        return content, {}


class Html(Media):
    """A page: its text, or the path of a file (a `pathlib.Path`, or a string that ends in .html and names one)."""

    _type = "html"

    def _content(self) -> tuple[Union[bytes, str], dict[str, Any]]:
        text = self._data
        if isinstance(text, str) and not (text.endswith((".html", ".htm")) and os.path.isfile(text)):
            text = text.encode("utf-8", "replace")
        content = _bytes_or_path(text)
        if content is None:
            raise Unloggable(f"Html takes text or a path, not a {type(text).__name__}")
        return content, {"media_type": "text/html"}


class File(Media):
    """Any file, by its path or its bytes."""


_ANYTHING = "application/octet-stream"


def _bytes_or_path(data: Any) -> Union[bytes, str, None]:
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if isinstance(data, memoryview):
        return data.tobytes()
    if isinstance(data, (str, os.PathLike)):
        return os.fsdecode(data)
    return None
