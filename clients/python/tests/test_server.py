"""The client against the real server: MARTLET_BIN names the program (scripts/test does)."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
import unittest

import martlet
from support import PATIENCE, ClientTest, wait_for

BINARY = os.environ.get("MARTLET_BIN", "")


@unittest.skipUnless(BINARY, "MARTLET_BIN names no martlet to test against")
class RealServerTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.home, "data")
        self.environment["MARTLET_DATA"] = self.data
        self.up()
        self.addCleanup(lambda: self.down(signal.SIGTERM))
        url, token = self.known()
        self.api = martlet.Api(url, token)
        self.addCleanup(self.api.close)

    def up(self, port="0"):
        log = open(os.path.join(self.home, "server.log"), "ab")  # noqa: SIM115 (closed below)
        command = [BINARY, "up", "--data", self.data, "--port", port]
        self.server = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        log.close()
        wait_for(lambda: self.known() is not None, "the server's address")

    def down(self, number):
        """SIGKILL leaves server.json behind, which the next server writes anew."""
        self.server.send_signal(number)
        self.server.wait(2 * PATIENCE)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.data, "server.json"))

    def known(self):
        try:
            with (
                open(os.path.join(self.data, "server.json")) as server,
                open(os.path.join(self.data, "token")) as token,
            ):
                return json.load(server)["url"], token.read().strip()
        except (OSError, ValueError, KeyError):
            return None

    def one(self, **wanted):
        (run,) = self.api.runs(**wanted)
        return run

    def test_what_is_logged_is_read_back(self):
        self.train(
            "run = martlet.init('p', 'one', config={'lr': 0.1}, tags=['t'])\n"
            "run.define_metric('val/*', step_metric='epoch', goal='maximize', summary='best')\n"
            "for i in range(5000): run.log({'loss': 1 / (i + 1), 'val/acc': i % 100, 'epoch': i // 100})\n"
            "run.log({'picture': martlet.Image([[0.5]]), 'h': martlet.Histogram([1, 2]), 'odd': float('nan'),\n"
            "         'v': [1.5], 't': martlet.Table(['a'], [[i] for i in range(20_000)]), 'a,b': 3}, 2**53 + 1)\n"
            "run.summary['verdict'] = 'good'\n"
            "sys.exit(3)\n",
            expect=3,
        )
        run = self.one()
        self.assertEqual((run.name, run.state, run.config, run.tags), ("one", "failed", {"lr": 0.1}, ["t"]))
        self.assertEqual((run.exit["code"], run.last_step), (3, 2**53 + 1))
        self.assertEqual((run.summary["verdict"], run.summary["val/acc"], run.summary["loss"]), ("good", 99, 1 / 5000))
        self.assertEqual(run.aggregates["loss"]["max"], 1.0)
        rows = run.history()
        self.assertEqual([row["_step"] for row in rows], [*range(5000), 2**53 + 1])
        self.assertEqual(rows[7]["loss"], 1 / 8)
        last = rows[-1]
        self.assertTrue(math.isnan(last["odd"]))
        self.assertEqual((last["v"], last["h"]["_type"], last["t"]["rows"]), ([1.5], "histogram", 20_000))
        self.assertEqual(run.blob(last["picture"])[:4], b"\x89PNG")
        self.assertEqual(len(json.loads(run.blob(last["t"]))["rows"]), 20_000)
        self.assertEqual([row["_step"] for row in run.scan_history("a,b", page=7)], [2**53 + 1])
        self.assertEqual(len(run.history("loss", from_step=10, to_step=19)), 10)
        raw = run.series("loss", from_step=0, to_step=99)["loss"]
        self.assertEqual((raw.kind, raw.steps.tolist()), ("raw", list(range(100))))
        self.assertEqual(raw.values.tolist(), [1 / (i + 1) for i in range(100)])
        coarse = run.series(["loss", "val/acc"], buckets=50, ema=0.9, x="epoch")["val/acc"]
        self.assertEqual((coarse.kind, coarse.count, max(coarse.max), min(coarse.min)), ("buckets", 5000, 99, 0))
        self.assertEqual((len(coarse.ema), len(coarse.x)), (len(coarse), len(coarse)))

    def test_runs_go_on_back_and_apart(self):
        start = "run = martlet.init('p', id='mine', resume='allow')\n"
        self.train(start + "for i in range(100): run.log({'a': i})")
        self.train(
            start + "assert run._step == 99\nfor i in range(100): run.log({'a': i})\nos.kill(os.getpid(), 9)", expect=-9
        )
        wait_for(lambda: self.one().state == "crashed", "the word of its end")
        self.train("run = martlet.init('p', id='mine', rewind_to=149)\nrun.log({'a': 7})")
        run = self.one()
        self.assertEqual((run.state, [row["_step"] for row in run.history()]), ("finished", list(range(151))))
        self.train(
            f"run = martlet.init('p', 'branch', fork_from={run.id!r}, step=9, config={{'x': 1}})\nrun.log({{'a': 1}})"
        )
        branch = self.one(search="branch")
        self.assertEqual((branch.forked_from, branch.config), ({"run": run.id, "step": 9}, {"x": 1}))
        self.assertEqual([row["_step"] for row in branch.history()], list(range(11)))
        _, err = self.train("martlet.init('p', id='other', resume='must')", expect=1)
        self.assertIn("ValueError", err)
        _, err = self.train("martlet.init('p', id='mine', resume='never')", expect=1)
        self.assertIn("ValueError", err)
        run.update(tags=["x"], notes="n", config={"y": 2})
        self.assertEqual((run.tags, run.notes, run.config), (["x"], "n", {"y": 2}))
        branch.delete()
        self.assertEqual((len(self.api.runs()), len(self.api.runs(deleted=True))), (1, 1))
        branch.restore()
        branch.delete(purge=True)
        self.assertEqual(len(self.api.runs()), 1)

    def test_a_server_that_is_killed_loses_and_doubles_nothing(self):
        process = self.start(
            "run = martlet.init('p')\nthreading.Thread(target=sys.stdin.readline).start()\ni = 0\n"
            "while threading.active_count() > 1:\n"
            "  run.log({'a': i, **({'page': martlet.Html(f'{i}')} if i % 500 == 0 else {})})\n"
            "  i += 1; time.sleep(0.0002)\n"
            "print(i)\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: len(self.api.runs()) == 1)
        for _ in range(3):
            before = self.one().points
            wait_for(lambda before=before: self.one().points > before)
            time.sleep(0.2)  # in the midst of it
            self.down(signal.SIGKILL)
            self.up()
            self.api.close()
            self.api = martlet.Api(*self.known())
        out, err = process.communicate("\n", timeout=2 * PATIENCE)
        wait_for(lambda: not self.senders())
        rows = self.one().history()
        self.assertEqual([row["a"] for row in rows], list(range(int(out))), err)
        run = self.one()
        for row in rows[::500]:
            self.assertEqual(run.blob(row["page"]), str(row["_step"]).encode())
        self.assertEqual((run.state, self.spools()), ("finished", []))

    def test_what_is_kept_besides_rows_is_read_back(self):
        self.environment.update(MARTLET_CAPTURE="environment,packages", HF_TOKEN="hf_x")
        with open(os.path.join(self.home, "note.txt"), "w") as file:
            file.write("kept")
        process = self.start(
            "run = martlet.init('p')\nrun.save('note.txt')\nrun.log({'a': 1})\n"
            "run.alert('careful', 'it is hot', 'warn'); sys.stdin.readline()\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: self.api.runs() and len(self.one().files()) == 2, "the files")
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(err.count("martlet:"), 1, err)
        run = self.one()
        self.assertEqual([file["path"] for file in run.files()], ["note.txt", "requirements.txt"])
        self.assertEqual(run.read_file("note.txt"), b"kept")
        self.assertEqual(
            [(a["level"], a["title"], a["text"]) for a in run.alerts()], [("warn", "careful", "it is hot")]
        )
        self.assertNotIn("HF_TOKEN", run.environment["variables"])
        self.assertEqual(run.environment["python"]["version"], ".".join(map(str, sys.version_info[:3])))
        self.assertGreater(run.environment["memory_bytes"], 1 << 20)
        run.update(add_tags=["x"], archived=True)
        self.assertEqual((run.tags, len(self.api.runs()), len(self.api.runs(archived="true"))), (["x"], 0, 1))
        self.assertIn("archived", [event["type"] for event in run.events()])

    def test_runs_are_filtered_sorted_and_grouped(self):
        self.train(
            "for lr in (0.1, 0.2):\n  for seed in range(3):\n"
            "    run = martlet.init('p', f'{lr}/{seed}', config={'lr': lr, 'seed': seed})\n"
            "    for i in range(5): run.log({'val/loss': lr * (5 - i) + seed})\n    run.finish()\n"
        )
        found = self.api.runs("p", filter="lr > 0.15 and state = finished", sort="-val/loss.min")
        self.assertEqual([run.name for run in found], ["0.2/2", "0.2/1", "0.2/0"])
        self.assertEqual(self.api.count("p", filter="seed in (0, 1)")["total"], 4)
        groups = {group["key"][0]: group for group in self.api.groups("p", by="lr", values="val/loss.min")}
        self.assertEqual({key: group["count"] for key, group in groups.items()}, {0.1: 3, 0.2: 3})
        self.assertAlmostEqual(groups[0.2]["values"]["val/loss.min"]["mean"], 1.2)
        self.assertEqual(len(self.api.runs("p", filter=groups[0.1]["filter"])), 3)
        self.assertIn("lr", [field["name"] for field in self.api.fields("p")["config"]])
        with self.assertRaises(martlet.Refused) as caught:
            len(self.api.runs("p", filter="lr >"))
        self.assertEqual(caught.exception.details, {"from": 3, "to": 4})

    def test_a_models_layers_are_read_back(self):
        self.train(
            "run = martlet.init('p')\n"
            "layer = {'name': 'a', 'type': 'B', 'parameters': 3, 'trainable': 2, 'input_shape': [None, 4]}\n"
            "run._model({'framework': 'pytorch', 'parameters': 3, 'trainable': 2, 'layers': [layer]})\n"
        )
        model = self.one().model
        self.assertEqual((model["parameters"], model["trainable"], model["framework"]), (3, 2, "pytorch"))
        self.assertEqual(model["layers"][0]["input_shape"], [None, 4])

    def test_output_and_samples_are_read_back(self):
        self.environment.update(MARTLET_CAPTURE="system", MARTLET_SAMPLE_EVERY="0.2")
        process = self.start(
            "run = martlet.init('p')\nprint('hello')\nsys.stderr.write(' 10%\\r 20%\\n')\nsys.stdin.readline()\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: self.api.runs() and {"cpu", "process/memory"} <= self.one().system().keys())
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(err.count("martlet:"), 1, err)
        run = self.one()
        self.assertEqual([line["text"] for line in run.logs("stdout")], ["hello"])
        self.assertEqual([line["text"] for line in run.logs("stderr")][1:], [" 20%"])
        self.assertEqual([line["text"] for line in run.logs(tail=2)][-1:], [" 20%"])
        self.assertEqual([line["text"] for line in run.search_logs("HELLO")], ["hello"])
        memory = run.system_series("memory")["memory"]
        self.assertTrue(min(memory.values) > 0 and max(memory.values) < 100)
        self.assertLess(abs(memory.steps[0] / 1e3 - time.time()), 600)

    def test_what_was_kept_offline_is_sent_while_it_still_runs(self):
        process = self.start(
            "run = martlet.init('p', mode='offline')\nfor i in range(1000): run.log({'a': i})\n"
            "run.log({'picture': martlet.Image([[1]])}); print(flush=True); sys.stdin.readline(); run.log({'a': 1})\n",
            stdin=subprocess.PIPE,
        )
        process.stdout.readline()
        command = [sys.executable, "-m", "martlet", "sync"]
        for _ in range(2):
            subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=2 * PATIENCE)
            self.assertEqual((len(self.one().history()), self.one().state), (1001, "running"))
        process.communicate("\n", timeout=2 * PATIENCE)
        subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=2 * PATIENCE)
        self.assertEqual((len(self.one().history()), self.one().state, self.spools()), (1002, "finished", []))


if __name__ == "__main__":
    unittest.main()
