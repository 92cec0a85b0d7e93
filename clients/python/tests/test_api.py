"""Reading runs and histories back: martlet.Api against a server that may be unwell."""

import hashlib
import json
import math
import os
import struct
import sys
import threading
import time
import unittest
from unittest import mock

import martlet
from martlet import _frame
from support import TOKEN, ClientTest

try:
    import numpy
except ImportError:
    numpy = None
try:
    import pandas
except ImportError:
    pandas = None

TRAIN = (
    "for name in ('one', 'two', 'three'):\n"
    "  run = martlet.init('digits' if name != 'three' else 'other', name, config={'lr': 0.1})\n"
    "  for i in range(500):\n"
    "    run.log({'loss': 1 / (i + 1), 'a,b': float(i), **({'note': 'x'} if i % 100 == 0 else {})})\n"
    "  run.log({'loss': float('nan'), 'inf': float('inf'), 'picture': martlet.Image([[1]])}, 2**53 + 1)\n"
    "  run.finish()\n"
)


class ApiTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.train(TRAIN)
        self.api = martlet.Api(self.server.url, TOKEN, patience=60)
        self.addCleanup(self.api.close)

    def test_runs_are_found_page_by_page(self):
        requests = len(self.server.requests)
        runs = self.api.runs()
        self.assertEqual(runs[0].name, "three")
        self.assertEqual(len(self.server.requests), requests + 1, "no page is read before it is wanted")
        self.assertEqual([run.name for run in runs], ["three", "two", "one"])
        self.assertEqual([run.name for run in runs], ["three", "two", "one"], "it can be walked through again")
        self.assertEqual((len(runs), runs[-1].name, [r.name for r in runs[1:]]), (3, "one", ["two", "one"]))
        with self.assertRaises(IndexError):
            runs[3]
        self.assertEqual([run.name for run in self.api.runs("digits", sort="name")], ["one", "two"])
        self.assertEqual([run.name for run in self.api.runs(search="wo", state=["finished", "failed"])], ["two"])
        self.assertEqual(list(self.api.runs(state="running")), [])

    def test_a_runs_fields(self):
        run = self.api.run("run00000")
        self.assertEqual((run.id, run.name, run.project, run.state), ("run00000", "one", "digits", "finished"))
        self.assertEqual(
            (run.config, run.tags, run.python), ({"lr": 0.1}, [], ".".join(map(str, sys.version_info[:3])))
        )
        with self.assertRaisesRegex(AttributeError, "a run has no 'nothing'"):
            _ = run.nothing
        self.server.runs["run00000"].update(
            summary={
                "loss": {"last": 0.5, "min": 0.25, "max": "Infinity", "mean": "NaN", "last_step": 3},
                "acc/val": {"last": 0.5, "min": 0.1, "max": 0.9, "best": 0.9},
                "acc/train": {"last": 0.5, "max": 0.8},
                "hidden": {"last": 1},
                "note": {"value": "x", "last_step": 1},
                "mine": {"last": 1, "value": 7, "set_at": 5},
            },
            metrics={
                "acc/*": {"summary": "max", "goal": None},
                "acc/val": {"summary": "best"},
                "hidden": {"summary": "none"},
                "loss": {"summary": None, "hidden": False},
            },
        )
        run.refresh()
        expected = {"loss": 0.5, "acc/val": 0.9, "acc/train": 0.8, "note": "x", "mine": 7}
        self.assertEqual(run.summary, expected)
        self.assertEqual(run.aggregates["loss"]["max"], math.inf)
        self.assertTrue(math.isnan(run.aggregates["loss"]["mean"]))
        self.assertNotIn("note", run.aggregates)

    def test_histories(self):
        run = self.api.run("run00000")
        rows = run.history()
        self.assertEqual((len(rows), rows[1]["loss"], rows[1]["_step"]), (501, 0.5, 1))
        self.assertLess(abs(rows[0]["_time"] - time.time()), 120)
        self.assertEqual((rows[-1]["_step"], rows[-1]["inf"]), (2**53 + 1, math.inf))
        self.assertTrue(math.isnan(rows[-1]["loss"]))
        self.assertEqual(rows.names, ["_step", "_time", "loss", "a,b", "note", "inf", "picture"])
        self.assertEqual([row["_step"] for row in run.history("note")], [0, 100, 200, 300, 400])
        some = run.history(["a,b", "note"], from_step=99, to_step=101)
        self.assertEqual([set(row) - {"_step", "_time"} for row in some], [{"a,b"}, {"a,b", "note"}, {"a,b"}])
        requests = self.server.count("GET", ".*/history.*")
        scan = run.scan_history("a,b", page=50)
        self.assertEqual(next(scan)["a,b"], 0)
        self.assertEqual(self.server.count("GET", ".*/history.*"), requests + 1)
        self.assertEqual([row["a,b"] for row in scan], list(range(1, 500)))
        self.assertEqual(list(run.scan_history("nothing", page=50)), [])

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_histories_as_arrays(self):
        columns = self.api.run("run00000").history().to_numpy()
        self.assertEqual((columns["_step"].dtype, columns["_step"][-1]), (numpy.int64, 2**53 + 1))
        self.assertEqual((columns["loss"].dtype, len(columns["loss"])), (numpy.float64, 501))
        self.assertTrue(numpy.isnan(columns["inf"][:-1]).all() and columns["inf"][-1] == math.inf)
        self.assertEqual((columns["note"].dtype, columns["note"][0], columns["note"][1]), (object, "x", None))
        self.assertEqual(columns["picture"][-1]["_type"], "image")

    @unittest.skipIf(pandas is None, "pandas is not installed")
    def test_histories_as_frames(self):
        frame = self.api.run("run00000").history(["loss", "note"]).to_pandas()
        self.assertEqual((list(frame.columns), len(frame)), (["_step", "_time", "loss", "note"], 501))
        self.assertEqual(frame.loss[1], 0.5)
        series = self.api.run("run00000").series("a,b", buckets=10)["a,b"].to_pandas()
        self.assertEqual(series["max"].max(), 499)

    def test_series(self):
        run = self.api.run("run00000")
        series = run.series(["loss", "a,b"])
        loss = series["loss"]
        self.assertEqual((loss.kind, loss.count, len(loss), loss.key, loss.run), ("raw", 501, 501, "loss", "run00000"))
        self.assertEqual((loss.steps[500], loss.values[1], loss.times.format), (2**53 + 1, 0.5, "q"))
        self.assertTrue(math.isnan(loss.values[500]))
        self.assertEqual(list(series["a,b"])[:2], [(0, 0.0), (1, 1.0)])
        coarse = run.series("a,b", buckets=10)["a,b"]
        self.assertEqual((coarse.kind, len(coarse), coarse.max[9], coarse.min[0]), ("buckets", 10, 499, 0))
        self.assertEqual((coarse.values.tolist(), coarse.ema), (coarse.mean.tolist(), None))
        with self.assertRaisesRegex(AttributeError, "of kind 'buckets' has no 'nothing'"):
            _ = coarse.nothing
        both = self.api.series([run, "run00001"], "a,b", from_step=10, to_step=19)
        self.assertEqual([(one.run, len(one)) for one in both], [("run00000", 10), ("run00001", 10)])
        asked = []
        honest = self.server.answer
        self.server.answer = lambda *given: asked.append(given[2]) or honest(*given)
        run.series("loss", ema=0.9, x="a,b")
        wanted = {"runs": ["run00000"], "keys": ["loss"], "buckets": 2000, "ema": 0.9, "x": "a,b"}
        self.assertEqual(json.loads(asked[0]), wanted)

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_series_as_arrays_share_the_frames_memory(self):
        series = self.api.run("run00000").series("a,b")["a,b"]
        arrays = series.to_numpy()
        self.assertEqual((arrays["steps"].dtype, arrays["values"].dtype), (numpy.int64, numpy.float64))
        self.assertEqual(arrays["values"].tolist(), [float(i) for i in range(500)])
        self.assertTrue(numpy.shares_memory(arrays["values"], numpy.asarray(series.values)))

    def test_files(self):
        run = self.api.run("run00000")
        value = run.history("picture")[0]["picture"]
        content = run.blob(value)
        self.assertEqual(hashlib.sha256(content).hexdigest(), value["blob"])
        path = os.path.join(self.home, "picture.png")
        run.download(value["blob"], path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), content)
        self.server.blobs[("run00000", value["blob"])] = b"something else"
        os.unlink(path)
        with self.assertRaisesRegex(ValueError, "what came for"):
            run.download(value, path)
        self.assertEqual([name for name in os.listdir(self.home) if "picture" in name], [])
        with self.assertRaises(martlet.Refused):
            run.blob("0" * 64)
        self.assertEqual(run.refresh().name, "one", "the connection is none the worse")

    def test_changes(self):
        run = self.api.run("run00000")
        run.update(tags=["a"], notes="", config={"wd": 1}, summary={"x": None}, metrics={"loss": {"goal": "minimize"}})
        self.assertEqual((run.tags, run.config, run.notes), (["a"], {"lr": 0.1, "wd": 1}, ""))
        self.assertEqual(self.server.runs["run00000"]["metrics"], {"loss": {"goal": "minimize"}})
        run.delete()
        self.assertEqual([r.name for r in self.api.runs(deleted=True)], ["one"])
        self.assertEqual(run.restore().data["deleted_at"], None)
        run.rewind(10)
        branch = run.fork(5, "branch")
        self.assertEqual((branch.name, branch.forked, self.server.rewinds), ("branch", "run00000", [("run00000", 10)]))
        run.delete(purge=True)
        with self.assertRaises(martlet.Refused) as refused:
            run.refresh()
        self.assertEqual(refused.exception.status, 404)

    def test_a_server_that_restarts_is_waited_for(self):
        self.server.down()
        timer = threading.Timer(0.3, self.server.up)
        timer.start()
        self.assertEqual(len(self.api.runs()), 3)
        timer.join()
        faults = iter([503, 429, None])
        self.server.fault = lambda method, path: next(faults, None)
        self.assertEqual(self.api.run("run00001").name, "two")
        self.server.fault = lambda method, path: 503
        with self.assertRaises(martlet.Unreachable):
            martlet.Api(self.server.url, TOKEN, patience=0.1).run("run00001")
        with mock.patch.dict(os.environ, {"HOME": self.home}), self.assertRaises(martlet.Unreachable):
            martlet.Api(patience=0).run("x")

    def test_it_is_found_as_the_runs_server_is(self):
        named = {"MARTLET_URL": self.server.url, "MARTLET_TOKEN": TOKEN}
        with mock.patch.dict(os.environ, named), martlet.Api() as api:
            self.assertEqual(api.run("run00002").name, "three")

    def test_many_threads_read_with_one(self):
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(len(self.api.run("run00000").history()))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [501] * 8)

    def test_reading_imports_no_library(self):
        self.train(
            "api = martlet.Api()\nrun = api.run('run00000'); run.history(); run.series()\n"
            "assert not {'numpy', 'pandas'} & set(sys.modules)\n"
        )


class FrameTest(unittest.TestCase):
    def test_what_is_no_frame_is_told(self):
        sound = struct.pack("<8sII", b"MARTLETS", 1, 16) + b'{"series": []}  '
        self.assertEqual(_frame.decode(sound), [])
        head = {"run": "r", "key": "k", "kind": "raw", "count": 1, "n": 1}
        wrong = json.dumps(
            {"series": [{**head, "arrays": [{"name": "steps", "type": "i64", "offset": 9999}]}]}
        ).encode()
        for frame in (
            b"",
            sound[:10],
            b"x" + sound[1:],
            sound[:8] + b"\2" + sound[9:],
            sound[:20],
            sound.replace(b"series", b"serias"),
            struct.pack("<8sII", b"MARTLETS", 1, len(wrong)) + wrong,
        ):
            with self.assertRaisesRegex(ValueError, "no series of a Martlet server"):
                _frame.decode(frame)

    def test_a_machine_of_the_other_order_swaps(self):
        """What a big-endian machine makes of the words, which here are those of the other order."""
        theirs = ">" if sys.byteorder == "little" else "<"
        for kind, numbers in (("q", [1, -2, 2**62]), ("d", [1.5, -0.0, math.inf])):
            words = memoryview(struct.pack(f"{theirs}3{kind}", *numbers))
            self.assertEqual(list(_frame.native(words, kind, "big")), numbers)
        words = memoryview(struct.pack("=2d", 1.5, math.inf))
        self.assertEqual(list(_frame.native(words, "d", "little")), [1.5, math.inf])


if __name__ == "__main__":
    unittest.main()
