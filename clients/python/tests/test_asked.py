"""What `Api` asks besides runs and rows: filters and groups, files, output, the machine, alerts, series in parts."""

import os
import unittest

import martlet
from support import TOKEN, ClientTest

API = "/api/v1"


class AskedTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.train(
            "for name in ('one', 'two', 'three'):\n"
            "  run = martlet.init('digits', name, config={'lr': 0.1})\n"
            "  for i in range(100): run.log({'a': float(i), 'b': 1.0, 'c': 2.0})\n"
            "  open('x.txt', 'w').write('x' + name); run.save('x.txt'); run.alert('hi'); run.finish()\n"
        )
        self.api = martlet.Api(self.server.url, TOKEN, patience=60)
        self.addCleanup(self.api.close)
        self.run_ = self.api.run("run00000")
        self.asked = []

    def answer(self, path, give):
        """Answers GET `path`, and keeps what was asked."""

        def kept(query):
            self.asked.append(query)
            return give(query)

        self.server.canned[API + path] = kept

    def pages(self, items):
        """Two items a page."""

        def page(query):
            begin = int(query.get("cursor", 0))
            following = str(begin + 2) if begin + 2 < len(items) else None
            return {"items": items[begin : begin + 2], "next": following}

        return page

    def test_a_filter_goes_along_as_it_is(self):
        self.answer("/runs", self.pages([{"id": "a", "name": "x"}]))
        self.assertEqual(
            [run.id for run in self.api.runs("digits", filter="lr > 0.01 & tag:é", sort="-val/loss.min")], ["a"]
        )
        self.assertEqual(self.asked[0]["q"], "lr > 0.01 & tag:é")
        self.assertEqual((self.asked[0]["sort"], self.asked[0]["project"]), ("-val/loss.min", "digits"))
        self.answer("/runs/count", lambda query: {"total": 3, "states": {"finished": 3}})
        self.assertEqual(self.api.count("digits", filter="lr = 1")["total"], 3)
        self.answer("/runs/groups", self.pages([{"key": [i], "count": i} for i in range(3)]))
        groups = list(self.api.groups("digits", by=["lr", "model.width"], values="val/loss.min", filter="x = 1"))
        self.assertEqual([group["count"] for group in groups], [0, 1, 2])
        self.assertEqual((self.asked[-1]["by"], self.asked[-1]["values"]), ("lr,model.width", "val/loss.min"))
        self.answer("/fields", lambda query: {"config": [], **query})
        self.assertEqual(self.api.fields("digits", search="l")["search"], "l")

    def test_files(self):
        items = [{"path": path, **self.server.files["run00000"]["x.txt"]} for path in ("x.txt",)]
        items += [{**items[0], "path": path} for path in ("deep/y.txt", "../evil.txt", "deep/z.txt")]
        self.answer("/runs/run00000/files", self.pages(items))
        self.assertEqual([file["path"] for file in self.run_.files("deep/")], ["deep/y.txt", "deep/z.txt"])
        self.assertEqual(self.run_.read_file("x.txt"), b"xone")
        with self.assertRaises(KeyError):
            self.run_.read_file("nothing")
        target = os.path.join(self.home, "there")
        written = self.run_.download_files(target)
        self.assertEqual([os.path.relpath(path, target) for path in written], ["x.txt", "deep/y.txt", "deep/z.txt"])
        self.assertFalse(os.path.exists(os.path.join(self.home, "evil.txt")))

    def test_lines_are_read_page_by_page(self):
        lines = [{"n": n, "at": 1, "stream": "stdout", "text": f"line {n}"} for n in range(10)]

        def page(query):
            begin = int(query.get("from", 0))
            begin = max(0, 10 + begin) if begin < 0 else begin
            return {"attempt": 2, "total": 10, "items": lines[begin : begin + int(query["count"])]}

        self.answer("/runs/run00000/logs/lines", page)
        self.assertEqual([line["n"] for line in self.run_.logs(page=3)], list(range(10)))
        self.assertEqual({query.get("attempt") for query in self.asked[1:]}, {"2"}, "a later attempt changes no page")
        self.assertEqual([line["n"] for line in self.run_.logs(tail=4, page=3)], [6, 7, 8, 9])
        self.assertEqual(list(self.run_.logs(tail=0)), [])

    def test_a_search_goes_on_where_it_stopped(self):
        found = {None: ([1, 5], 5), "5": ([9], None)}

        def page(query):
            items, following = found[query.get("after")]
            return {"count": 3, "complete": True, "items": [{"n": n} for n in items], "next": following}

        self.answer("/runs/run00000/logs/search", page)
        self.assertEqual([line["n"] for line in self.run_.search_logs("a&b", regex=True)], [1, 5, 9])
        self.assertEqual(
            (self.asked[0]["text"], self.asked[0]["regex"], self.asked[0]["case"]), ("a&b", "true", "false")
        )

    def test_the_machine_alerts_events_and_the_model(self):
        self.answer("/runs/run00000/system", lambda query: {"metrics": [{"name": "cpu", "unit": "%", "last": 7}]})
        self.assertEqual(self.run_.system()["cpu"]["last"], 7)
        self.answer("/runs/run00000/alerts", self.pages([{"title": str(i)} for i in range(3)]))
        self.assertEqual([alert["title"] for alert in self.run_.alerts()], ["0", "1", "2"])
        self.answer("/alerts", self.pages([{"title": "x"}]))
        self.assertEqual(len(list(self.api.alerts("digits"))), 1)
        self.assertEqual(self.asked[-1]["project"], "digits")
        self.answer("/runs/run00000/events", self.pages([{"type": "run_renamed"}]))
        self.assertEqual(next(self.run_.events())["type"], "run_renamed")
        self.answer("/runs/run00000/model", lambda query: {"parameters": 3})
        self.assertEqual(self.run_.model["parameters"], 3)
        self.run_.alert("again", level="warn", key="k1")
        self.assertEqual(self.server.alerts[-1][1], {"title": "again", "level": "warn", "key": "k1"})

    def test_series_that_are_too_much_for_one_answer_come_in_several(self):
        honest = self.server.answer
        parts = []

        def limited(method, path, body, kind=""):
            if path.endswith("/series"):
                import json

                wanted = json.loads(body)
                keys = wanted.get("keys") or ["a", "b", "c"]
                if len(wanted["runs"]) * len(keys) > 2:
                    return 422, {"error": {"code": "x", "message": "More points than one answer may hold."}}
                parts.append((len(wanted["runs"]), len(keys)))
            return honest(method, path, body, kind)

        self.server.answer = limited
        for run in self.server.runs.values():
            run["summary"] = {name: {"value": 1, "last": 1} for name in "abc"}
        found = self.api.series(["run00000", "run00001", "run00002"])
        self.assertEqual(
            [(one.run, one.key) for one in found], [(f"run0000{i}", key) for i in range(3) for key in "abc"]
        )
        self.assertEqual(parts, [(1, 1), (1, 2)] * 3)
        with self.assertRaises(martlet.Refused):
            self.server.answer = lambda method, path, body, kind="": (422, {"error": {"message": "No."}})
            self.api.series(["run00000"], "a")


if __name__ == "__main__":
    unittest.main()
