"""`conformance`: what every method must keep to before its scores count."""

from __future__ import annotations

import sys

from tracking.report import Report

from search.bench import Bench
from search.conformance.checks import CHECKS, results
from search.conformance.program import NOT_DRIVABLE, hello, keeps_its_manners
from search.conformance.subject import Extent, Subject

TIMEOUT = 30.0  # seconds that an answer may take


def measure(bench: Bench, report: Report) -> None:
    command = bench.options.command
    greeting = hello(command)
    keeps_its_manners(command, TIMEOUT)
    bench.service.program().timeout = TIMEOUT
    table = []
    for method in greeting.algorithms:
        if bench.deadline.leaves("methods of conformance"):
            continue
        found = []
        for result in results(Subject(method, bench.service, greeting.features, Extent())):
            found.append(result)
            report.add("conformance", result._asdict())
            words = f"{method}: {result.check}{': ' if result.words else ''}{result.words}"
            print(f"    {result.how:7} {words} ({result.seconds:.1f} s)", file=sys.stderr, flush=True)
            if result.how == "FAILED":
                report.failed(words)
        passed = sum(result.how == "ok" for result in found)
        failed = [result.check for result in found if result.how == "FAILED"]
        skipped = [result.check for result in found if result.how == "skipped"]
        table.append([method, str(passed), ", ".join(failed) or "–", ", ".join(skipped) or "–"])
    bench.service.close()
    bench.document.title(f"conformance: {len(CHECKS)} checks a method")
    bench.document.table(["", "passed", "failed", "left out"], table)
    for method, reason in NOT_DRIVABLE.items():
        bench.document.note(f"`{method}` cannot be driven over the protocol: {reason}.")
