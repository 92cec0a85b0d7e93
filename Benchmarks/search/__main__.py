"""Goes through the sections that are wanted."""

from __future__ import annotations

import sys
from typing import Callable

from harness import program
from tracking.report import Report

from search import condensed, options, rows
from search.bench import Bench, Deadline
from search.figures import conformance, fronts, latency, parallel, quality, stopping
from search.optimizers import PEERS, RANDOM, missing_package
from search.optimizers.martlet import Service
from search.problems import public

MEASURES: dict[str, Callable[[Bench, Report], None]] = {
    "conformance": conformance.measure,
    "quality": quality.sequential,
    "pending": quality.pending,
    "fronts": fronts.measure,
    "parallel": parallel.measure,
    "latency": latency.measure,
    "stopping": stopping.measure,
}


def main() -> int:
    wanted = options.from_environment()
    program.check(wanted.martlet, options.NAME)
    report = Report(wanted, options.NAME)
    problems, left_out = public(wanted.yahpo, wanted.problems)
    peers = []
    for peer in wanted.peers:
        missing = missing_package(peer)
        if missing is None:
            peers.append(peer)
        else:
            left_out.append(f"{peer}: there is no Python package '{missing}' (scripts/setup bench-search)")
    for what in left_out:
        print(f"left out: {what}")
    places = rows.places(wanted.out, wanted.name, wanted.martlet)
    try:
        runs = rows.Runs(places, wanted.rows)
    except (OSError, ValueError) as error:
        sys.exit(f"{options.NAME}: ROWS: {error}")
    service = Service(wanted.command)
    deadline = Deadline(wanted.limit)
    bench = Bench(wanted, tuple(problems), tuple(peers), places, runs, service, deadline)
    try:
        program.measure(report, options.SECTIONS, wanted.sections, lambda name: MEASURES[name](bench, report))
    finally:
        service.close()
    if wanted.keep:
        condensed.write(wanted.keep, runs.of((RANDOM, *PEERS)))
        print(f"runs of the peers: {wanted.keep}")
    bench.document.write(wanted.out / "tables.md", report.heading)
    status = report.close()
    for what, count in deadline.left.items():
        print(f"left for another time, since LIMIT was reached: {count} {what}")
    return status


if __name__ == "__main__":
    program.run(main)
