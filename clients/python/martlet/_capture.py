"""What a run ran in, looked up once by the observer: machine, packages, the commit and what differs from it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from martlet import _environment, _gpu
from martlet._environment import without_password
from martlet._wishes import WORDS

LARGEST_DIFF = 10 << 20  # bytes
MOST_UNTRACKED = 1 << 20  # bytes of names
MOST_PACKAGES = 5000


def machine() -> dict[str, Any]:
    """The members of `environment` that the machine tells."""
    found: dict[str, Any] = {
        "os": _system(),
        "kernel": platform.release(),
        "cpu": _processor(),
        "memory_bytes": _memory(),
        "gpus": [{key: value for key, value in gpu.items() if value is not None} for gpu in _gpu.devices()],
        "cgroup_memory_bytes": _cgroup_memory(),
    }
    return {key: value for key, value in found.items() if value is not None}


def files(wanted: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files of the snapshot: their names and bytes. `wanted` is what the program told of itself."""
    what = wanted.get("what", WORDS)
    if "packages" in what:
        found = requirements(wanted.get("path") or [])
        if found:
            yield "requirements.txt", found.encode()
        conda = conda_environment(str(wanted.get("prefix") or ""), wanted.get("conda"))
        if conda:
            yield "conda.yaml", conda.encode()
    if "diff" in what:
        top = _top(str(wanted.get("workdir") or "/"))
        if top:
            for name, content in (("diff.patch", diff(top)), ("untracked.txt", untracked(top))):
                if content:
                    yield name, content


def requirements(path: list[str]) -> str:
    """The distributions on this `sys.path`, as pip's requirements. The first of a name is the one that is imported."""
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    with contextlib.suppress(Exception):  # a broken distribution among them
        for one in distributions(path=[entry for entry in path if entry]):
            with contextlib.suppress(Exception):
                name = one.metadata["Name"]
                if name and name.lower() not in found and len(found) < MOST_PACKAGES:
                    found[name.lower()] = f"{name}{_origin(one.read_text('direct_url.json')) or f'=={one.version}'}"
    return "".join(line + "\n" for _, line in sorted(found.items()))


def conda_environment(prefix: str, conda: Optional[str]) -> str:
    """The environment file of the conda environment that the program ran in; empty where it ran in none."""
    place = next((one for one in (prefix, conda) if one and os.path.isdir(os.path.join(one, "conda-meta"))), None)
    if place is None:
        return ""
    names = sorted(name[:-5] for name in os.listdir(os.path.join(place, "conda-meta")) if name.endswith(".json"))
    parts = [name.rsplit("-", 2) for name in names]
    lines = [f"  - {'='.join(part)}" for part in parts if len(part) == 3]
    title = json.dumps(os.path.basename(place.rstrip("/")), ensure_ascii=False)
    return "\n".join([f"name: {title}", "dependencies:", *lines]) + "\n" if lines else ""


def diff(top: str) -> bytes:
    """What tracked files differ in from the commit, as `git apply` takes it; cut, and said so in its first line."""
    content = _bounded(top, LARGEST_DIFF, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--")
    if len(content) <= LARGEST_DIFF:
        return content
    whole = content[:LARGEST_DIFF]
    return f"# cut: what follows {LARGEST_DIFF} bytes is left out\n".encode() + whole[: whole.rfind(b"\n") + 1]


def untracked(top: str) -> bytes:
    """The names of files that git neither has nor ignores, a line each."""
    content = _bounded(top, MOST_UNTRACKED, "ls-files", "--others", "--exclude-standard")
    if len(content) <= MOST_UNTRACKED:
        return content
    return content[: content.rfind(b"\n", 0, MOST_UNTRACKED) + 1] + b"# cut: there are more\n"


def _top(directory: str) -> Optional[str]:
    found = _bounded(directory, 1 << 16, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape")
    return found.rstrip("\n") or None


def _bounded(directory: str, limit: int, *arguments: str) -> bytes:
    """What git says, up to a byte more than `limit`; nothing where it fails or takes too long."""
    command = ["git", "-C", directory, *arguments]
    try:
        with subprocess.Popen(
            command,
            env=_environment.git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as git:
            return _read(git, limit + 1)
    except OSError:
        return b""


def _read(git: subprocess.Popen[bytes], most: int) -> bytes:
    import threading

    late = threading.Timer(_environment.GIT_SECONDS, git.kill)
    late.daemon = True
    late.start()
    try:
        assert git.stdout is not None
        content = git.stdout.read(most)
        if len(content) >= most:
            git.kill()
            git.wait()
            return content
        return content if git.wait() == 0 else b""
    finally:
        late.cancel()


def _origin(direct: Optional[str]) -> str:
    """` @ git+https://…@commit` of what was installed from a repository."""
    known = json.loads(direct) if direct else {}
    source = known.get("vcs_info") or {}
    if not source.get("commit_id"):
        return ""
    return f" @ {source.get('vcs', 'git')}+{without_password(str(known['url']))}@{source['commit_id']}"


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    with contextlib.suppress(OSError), open("/etc/os-release", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("PRETTY_NAME="):
                return line.partition("=")[2].strip().strip('"')
    return platform.system()


def _processor() -> dict[str, Any]:
    model, cores = None, set()
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        place: dict[str, str] = {}
        for line in file:
            key, _, value = line.partition(":")
            key, value = key.strip(), value.strip()
            if key in ("model name", "Hardware") and model is None:
                model = value
            elif key in ("physical id", "core id"):
                place[key] = value
            elif not key and place:
                cores.add(tuple(sorted(place.items())))
                place = {}
        if place:
            cores.add(tuple(sorted(place.items())))
    threads = os.cpu_count()
    return {
        "model": model or platform.processor() or platform.machine(),
        "cores": len(cores) or threads,
        "threads": threads,
    }


def _memory() -> Optional[int]:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _cgroup_memory() -> Optional[int]:
    """What this process's control group, or one above it, may use; None where nothing limits it."""
    with contextlib.suppress(OSError):
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            own = next((line.strip()[3:] for line in file if line.startswith("0::")), "/")
        limits = []
        while True:
            with contextlib.suppress(OSError, ValueError):
                limits.append(_number_in(os.path.join("/sys/fs/cgroup", own.lstrip("/"), "memory.max")))
            if own in ("/", ""):
                break
            own = os.path.dirname(own)
        with contextlib.suppress(OSError, ValueError):
            limits.append(_number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        real = [limit for limit in limits if limit < 1 << 60]
        return min(real) if real else None
    return None


def _number_in(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())
