"""A disk that takes nothing: said in words, and a spool's place found elsewhere where that helps."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import uuid

from martlet._delivery import warn

_WORDS = {
    errno.ENOSPC: "is on a disk that is full",
    errno.EDQUOT: "is on a disk whose quota is used up",
    errno.EFBIG: "holds a file as large as files may be (ulimit -f)",
    errno.EROFS: "is on a disk that can only be read",
    errno.EIO: "is on a disk that answers with errors",
}


def disk_trouble(error: BaseException, directory: str) -> str:
    """What is wrong with the disk, in a sentence without its end; empty where the error is another."""
    words = _WORDS.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{directory} {words}" if words else ""


def writable(directory: str) -> str:
    """`directory` where spools can be written there, else one in the system's folder for temporary files.

    Raises OSError where neither can be.
    """
    try:
        _try(directory)
        return directory
    except OSError as error:
        instead = os.path.join(tempfile.gettempdir(), f"martlet-{os.getuid()}", "spool", os.path.basename(directory))
        with contextlib.suppress(OSError):
            _own(os.path.dirname(os.path.dirname(instead)))
            _try(instead)
            warn(f"the spool could not be written in {directory} ({error.strerror}): it lies in {instead}")
            return instead
        raise


def _try(directory: str) -> None:
    """Raises OSError where no file can be made."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    probe = os.path.join(directory, f".probe-{uuid.uuid4().hex}")
    fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, b"-" * 4096)
    finally:
        os.close(fd)
        os.unlink(probe)


def _own(directory: str) -> None:
    """In a folder that everybody may write to: ours, and a directory, and closed to all others."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(errno.EPERM, "somebody else's directory", directory)
