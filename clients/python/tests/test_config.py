"""run.config: attributes, a sweep's parameters on top, and changes that are told."""

import argparse
import contextlib
import io
import unittest

import support  # noqa: F401  (puts the client on the path)
from martlet import Config
from martlet._values import described


class ConfigTest(unittest.TestCase):
    def test_keys_are_attributes(self):
        config = Config(argparse.Namespace(lr=0.1, width=8))
        self.assertEqual((config.lr, config["width"], dict(config)), (0.1, 8, {"lr": 0.1, "width": 8}))
        config.lr = 0.2
        config["depth"] = 1
        config.update({"a": 1}, b=2)
        self.assertEqual(config.as_dict(), {"lr": 0.2, "width": 8, "depth": 1, "a": 1, "b": 2})
        with self.assertRaisesRegex(AttributeError, "no 'lrr'; it has a, b, depth, lr, width"):
            _ = config.lrr
        self.assertEqual(config.get("lrr", 3), 3)
        with self.assertRaises(TypeError):
            del config["lr"]
        with self.assertRaises(TypeError):
            Config(3)

    def test_a_sweeps_parameters_win_and_that_is_said(self):
        config = Config({"lr": 1, "model": {"depth": 2, "width": 1}}, {"lr": 0.5, "model": {"width": 8}})
        told = []
        config.tell(told.append)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            config.lr = 3
            config.update(lr=0.5, seed=1)
            config.lr = 4
            config.model = {"depth": 3}
        self.assertEqual(config.as_dict(), {"lr": 0.5, "model": {"depth": 3, "width": 8}, "seed": 1})
        self.assertEqual(said.getvalue().count("config 'lr' stays 0.5"), 1)
        self.assertEqual(told[1], {"lr": 0.5, "seed": 1})

    def test_what_json_cannot_hold_becomes_text(self):
        found = described({"f": len, "n": {"x": {1}, "y": 2 + 1j}, 3: (1, 2.5, None, True)})
        self.assertEqual(
            found, {"f": "<built-in function len>", "n": {"x": [1], "y": "(2+1j)"}, "3": [1, 2.5, None, True]}
        )


if __name__ == "__main__":
    unittest.main()
