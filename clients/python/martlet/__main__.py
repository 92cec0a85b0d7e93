"""`python3 -m martlet sync [DIRECTORY…]`: sends what spools still hold (docs/spool.md)."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Optional
from urllib.parse import urlsplit

from martlet._credentials import Credentials, NoServer, find
from martlet._launch import SENDER
from martlet._tail import NotASpool, Tail


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m martlet", description="Sends runs that were kept offline.")
    sync = parser.add_subparsers(required=True, metavar="sync").add_parser(
        "sync", help="send what is left in spools", epilog="example: python3 -m martlet sync ~/.martlet-client/spool"
    )
    sync.add_argument("directory", nargs="*", default=["~/.martlet-client/spool"], help="default: %(default)s")
    options = parser.parse_args(arguments)
    failed = found = 0
    for directory in options.directory:
        for path in _spools(os.path.expanduser(directory)):
            found += 1
            failed += not _sent(path)
    if not found:
        print("martlet: nothing to send in " + ", ".join(options.directory))
    return 1 if failed else 0


def _spools(directory: str) -> Iterator[str]:
    for parent, folders, files in os.walk(directory):
        folders.sort()
        for file in sorted(files):
            if file.endswith(".spool"):
                yield os.path.join(parent, file)


def _sent(path: str) -> bool:
    try:
        tail = Tail(path)
        if tail.client_lives():
            print(f"martlet: {path} is still being written: its program runs")
            return False
        credentials = _server_of(tail)
    except (NotASpool, NoServer, OSError) as error:
        print(f"martlet: {error}", file=sys.stderr)
        return False
    environment = {**os.environ, **credentials.environment()}
    done = subprocess.run([sys.executable, "-IS", SENDER, path], env=environment, check=False)
    print(f"martlet: {path} {'is sent' if done.returncode == 0 else 'could not be sent'}")
    return done.returncode == 0


def _server_of(tail: Tail) -> Credentials:
    """MARTLET_URL's; else the one that the run is on. A local one may have another port by now, so it is looked up."""
    if tail.url and not os.environ.get("MARTLET_URL"):
        host = urlsplit(tail.url).hostname or ""
        if host not in ("localhost", "::1") and not host.startswith("127."):
            return find({**os.environ, "MARTLET_URL": tail.url})
    return find()


if __name__ == "__main__":
    sys.exit(main())
