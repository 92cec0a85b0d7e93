"""The examples of docs/python.md and of the client's README run as they stand there."""

import importlib.util
import os
import re
import unittest

from support import CLIENT, ClientTest

PAGES = (os.path.join(CLIENT, "..", "..", "docs", "python.md"), os.path.join(CLIENT, "README.md"))
FENCE = re.compile(r"^```python([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples():
    """Where each stands, the packages it needs, and its text."""
    for page in PAGES:
        if os.path.exists(page):
            with open(page, encoding="utf-8") as file:
                text = file.read()
            for found in FENCE.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{os.path.basename(page)}:{line}", found[1].split(), found[2]


class DocsTest(ClientTest):
    def test_every_example_runs(self):
        count = 0
        for place, needed, code in examples():
            with self.subTest(place):
                if any(importlib.util.find_spec(name) is None for name in needed):
                    continue
                server = self.serve()
                self.train("run = martlet.init('digits', config={'lr': 0.1})\nrun.log({'val/loss': 1.0})\nprint('hi')")
                for run in list(server.runs.values()):
                    run["summary"] = {"val/loss": {"value": 1.0, "last": 1.0}}
                server.canned["/api/v1/runs/run00000/logs/lines"] = lambda query: {"items": []}
                self.train(code)
                count += 1
        self.assertGreaterEqual(count, 4)


if __name__ == "__main__":
    unittest.main()
