"""`python3 -m martlet sync [DIRECTORY…]`: sends what spools still hold (docs/spool.md)."""

from __future__ import annotations

import argparse
import sys
from typing import Optional


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m martlet", description="Sends runs that were kept on disk.")
    sync = parser.add_subparsers(required=True, metavar="sync").add_parser(
        "sync",
        help="send what is left in spools",
        description="Sends what spools hold, also while their programs run. It may be repeated: nothing arrives twice.",
        epilog="example: python3 -m martlet sync ~/.martlet-client/spool",
    )
    sync.add_argument("place", nargs="*", default=["~/.martlet-client/spool"], help="default: %(default)s")
    sync.add_argument(
        "--wait", type=float, default=30, metavar="SECONDS", help="for a server that does not answer (%(default)s)"
    )
    options = parser.parse_args(arguments)
    from martlet._sync import Sync

    done = Sync(options.wait)
    code = done.run(options.place)
    if not done.spools:
        print("martlet: nothing to send in " + ", ".join(options.place))
    return code


if __name__ == "__main__":
    sys.exit(main())
