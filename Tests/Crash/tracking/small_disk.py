"""Small disks of their own, which a test may fill. Linux and root: a tmpfs in a mount namespace that ends with us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from typing import Optional

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of unshare(2)
FILLER = "filler"
PIECE = 1 << 16


def hindrance() -> Optional[str]:
    """Why there can be no small disk here, or nothing: then what this process mounts from now on is seen by itself and
    its children only."""
    if not sys.platform.startswith("linux"):
        return "only Linux has a tmpfs that a test can mount"
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        return f"no mount namespace of its own: {os.strerror(ctypes.get_errno())}"
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"mounts cannot be made private: {done.stderr.strip()}"


class SmallDisk:
    """A tmpfs of so many kilobytes at a new directory. It is taken off by whoever removes the place."""

    def __init__(self, path: str, kilobytes: int) -> None:
        self.path = path
        os.makedirs(path)
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0700", "martlet-crash", path]
        subprocess.run(command, check=True, capture_output=True)

    def fill(self) -> None:
        """Takes every byte that is left; again where somebody else gave some back meanwhile."""
        for _ in range(1000):
            with contextlib.suppress(OSError), open(self._filler, "ab", buffering=0) as file:
                for size in (PIECE, 4096, 512, 1):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            continue
            if (free := self.free) == 0:
                return
        raise AssertionError(f"{free} bytes are left on {self.path}")

    def make_room(self) -> None:
        """What the filler took is free again."""
        os.unlink(self._filler)

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True, capture_output=True)

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    @property
    def _filler(self) -> str:
        return os.path.join(self.path, FILLER)
