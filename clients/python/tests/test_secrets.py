"""The rules of what is secret, by the examples that the server's own tests use."""

import json
import os
import unittest

from martlet import _secrets

EXAMPLES = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "Tests", "Fixtures", "secrets.json"
)


@unittest.skipUnless(os.path.exists(EXAMPLES), "the client was taken out of its repository")
class SecretsTest(unittest.TestCase):
    def setUp(self):
        with open(EXAMPLES, encoding="utf-8") as file:
            self.examples = json.load(file)

    def test_variables(self):
        for one in self.examples["variables"]:
            with self.subTest(one["name"]):
                self.assertEqual(_secrets.is_secret(one["name"], one["value"]), one["secret"])
        kept = _secrets.variables({one["name"]: one["value"] for one in self.examples["variables"]})
        self.assertEqual(set(kept), {one["name"] for one in self.examples["variables"] if not one["secret"]})

    def test_command_lines(self):
        for one in self.examples["arguments"]:
            with self.subTest(one["given"]):
                self.assertEqual(_secrets.masked(one["given"]), one["kept"])


if __name__ == "__main__":
    unittest.main()
