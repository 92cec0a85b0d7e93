#!/usr/bin/env python3
"""Every method of search that can be driven over the line protocol keeps to what `make bench-search` checks, in short.

Run: MARTLET_BIN=.build/debug/martlet python3 Tests/Search/test_conformance.py
"""

import concurrent.futures
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks"))

from search.conformance import checks, program, subject  # noqa: E402 (Benchmarks is on the path from here on)
from search.optimizers.martlet import Service  # noqa: E402

COMMAND = (os.environ.get("MARTLET_BIN", str(ROOT / ".build" / "debug" / "martlet")), "sweep", "serve")
TIMEOUT = 60.0  # seconds that an answer may take on a busy machine
METHODS = {"auto", "tpe", "gp", "cmaes", "de", "ga", "tabu", "anneal", "nsga2", "nsga3", "sobol", "random"}
RULES = {"median", "percentile", "asha", "hyperband"}


class ConformanceTests(unittest.TestCase):
    def test_program(self):
        greeting = program.hello(COMMAND)
        self.assertEqual(set(greeting.algorithms), METHODS | RULES)
        self.assertEqual(set(greeting.features), set(program.FEATURES))
        program.keeps_its_manners(COMMAND, TIMEOUT)

    def test_methods(self):
        greeting = program.hello(COMMAND)
        passed = {}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            for method, results in threads.map(lambda name: (name, checked(name, greeting)), greeting.algorithms):
                passed[method] = {result.check for result in results if result.how == "ok"}
                for result in results:
                    with self.subTest(method=method, check=result.check):
                        self.assertNotEqual(result.how, "FAILED", result.words)
        self.assertTrue(passed)
        for check in checks.CHECKS:
            if check.name != "better than chance":
                self.assertTrue(any(check.name in names for names in passed.values()), f"nobody passes: {check.name}")


def checked(method, greeting):
    service = Service(COMMAND)
    try:
        service.program().timeout = TIMEOUT
        return list(checks.results(subject.Subject(method, service, greeting.features, subject.SHORT)))
    finally:
        service.close()


if __name__ == "__main__":
    unittest.main()
