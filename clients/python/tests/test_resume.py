"""Runs that go on, go back or branch off; what is said of metrics and of the result."""

import os
import signal
import subprocess
import sys
import unittest

from support import PATIENCE, ClientTest, wait_for

LOG = "for i in range(3): run.log({'a': i})\n"


class ResumeTest(ClientTest):
    def test_a_run_goes_on_where_it_was(self):
        server = self.serve()
        self.train(f"run = martlet.init('p', id='mine', resume='allow', config={{'lr': 1}})\n{LOG}")
        self.train(
            f"run = martlet.init('p', id='mine', resume='must', config={{'lr': 2}}, tags=['again'])\n{LOG}"
            "assert run.id == 'run00000'\n"
        )
        self.assertEqual((len(server.runs), server.steps()), (1, [0, 1, 2, 3, 4, 5]))
        run = server.runs["run00000"]
        self.assertEqual((run["config"], run["tags"]), ({"lr": 2}, ["again"]))
        self.assertEqual(len(server.rows), 2, "each start is a client of its own")

    def test_a_run_that_cannot_be_is_the_programs_mistake(self):
        server = self.serve()
        _, err = self.train("martlet.init('p', id='x', resume='must')", expect=1)
        self.assertIn("ValueError: http", err)
        self.assertIn("There is no run 'x'", err)
        self.train("martlet.init('p', id='x', resume='never')")
        _, err = self.train("martlet.init('p', id='x', resume='never')", expect=1)
        self.assertIn("There is a run 'x' already", err)
        requests = len(server.requests)
        for arguments, words in (
            ("resume='maybe', id='x'", "resume is one of allow, must, never, auto, not 'maybe'"),
            ("resume='must'", "resume='must' needs the run's id"),
            ("rewind_to=3", "rewind_to needs the run's id"),
            ("id='x', rewind_to=3, resume='never'", "rewind_to is for a run that exists"),
            ("id='x', rewind_to='3'", "rewind_to is a whole number, not '3'"),
            ("fork_from='abc', id='x'", "fork_from makes a new run"),
            ("step=3", "step goes with fork_from"),
        ):
            _, err = self.train(f"martlet.init('p', {arguments})", expect=1)
            self.assertIn("ValueError: " + words, err)
        self.assertEqual(len(server.requests), requests, "wrong arguments are seen before anybody is asked")

    def test_auto_goes_on_with_what_this_program_left_unfinished(self):
        server = self.serve()
        code = "run = martlet.init('p', resume='auto')\nrun.log({'a': 1})\n"
        self.train(code + "sys.exit(3)", expect=3)
        self.train(code + "os._exit(0)")
        self.train(code + "1 / 0", expect=1)
        self.train(code)  # finishes: the next one is another run
        self.train(code)
        self.train("run = martlet.init('other', resume='auto')\nrun.log({'a': 1})")
        self.assertEqual(server.steps("run00000"), [0, 1, 2, 3])
        self.assertEqual((server.steps("run00001"), len(server.runs)), ([0], 3))
        for _ in range(2):
            here = "run = martlet.init('p', resume='auto', directory='out')\n"
            self.train(here + "run.log({'a': 1}); os._exit(1)", expect=1)
        wait_for(lambda: server.steps("run00003") == [0, 1])
        wait_for(lambda: not self.senders())

    def test_what_an_earlier_start_left_comes_first(self):
        server = self.serve()
        code = "run = martlet.init('p', id='mine', resume='allow')\n"
        server.fault = lambda method, path: 503 if "/log?" in path else None
        self.train(code + LOG + "print(flush=True); os.kill(os.getpid(), 9)", expect=-9)
        (sender,) = self.senders()
        os.kill(sender, signal.SIGKILL)
        wait_for(lambda: not self.senders())
        process = self.start(code + LOG)
        wait_for(self.senders)  # it has asked for the run, and now waits
        server.fault = lambda method, path: None
        _, err = process.communicate(timeout=2 * PATIENCE)
        self.assertEqual((server.steps(), len(server.runs)), ([0, 1, 2, 3, 4, 5], 1), err)
        self.assertEqual([told["state"] for _, told in server.finishes], ["crashed", "finished"])
        self.assertEqual(server.runs["run00000"]["state"], "finished")

    def test_an_earlier_start_does_not_end_what_goes_on(self):
        server = self.serve()
        server.fault = lambda method, path: 503 if "/log?" in path else None
        self.environment["MARTLET_FINISH_TIMEOUT"] = "0.1"
        code = "run = martlet.init('p', id='mine', resume='allow')\n"
        self.train(code + LOG)
        code = "import martlet._start\nmartlet._start.CREATION_TIMEOUT = 3\n" + code
        process = self.start(code + LOG + "print(flush=True); sys.stdin.readline()", stdin=subprocess.PIPE)
        process.stdout.readline()
        server.fault = lambda method, path: None
        wait_for(lambda: len(server.all_rows()) == 6 and len(self.senders()) == 1)
        self.assertEqual(server.finishes, [])
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertIn("rows of an earlier start of this run are still on their way", err)
        wait_for(lambda: len(server.finishes) == 1)

    def test_going_back(self):
        server = self.serve()
        self.train(f"run = martlet.init('p', id='mine')\n{LOG}")
        self.train("run = martlet.init('p', id='mine', rewind_to=1)\nrun.log({'b': 1})")
        self.assertEqual((server.rewinds, len(server.runs)), ([("run00000", 1)], 1))
        (row,) = [row for row in server.all_rows() if "b" in row["values"]]
        self.assertEqual(row["step"], 2)

    def test_in_an_attempt(self):
        server = self.serve()
        self.attempt(server)
        _, err = self.train("run = martlet.init(rewind_to=7, id='x')\nrun.log({'a': 1})")
        self.assertIn("mean nothing here", err)
        self.assertEqual((server.rewinds, server.steps()), ([("k2f9a0xy", 7)], [8]))
        server.fault = lambda method, path: 403 if "rewind" in path else None
        _, err = self.train("run = martlet.init(rewind_to=7, id='x')\nrun.log({'a': 1})")
        self.assertIn("the rows behind step 7 are still there", err)

    def test_branching_off(self):
        server = self.serve()
        self.train(f"run = martlet.init('p', id='mine')\n{LOG}")
        self.train(
            "run = martlet.init('p', 'branch', fork_from='run00000', step=0, config={'lr': 3})\n"
            "assert (run.id, run.name) == ('run00001', 'branch')\nrun.log({'a': 9})\n"
        )
        branch = server.runs["run00001"]
        self.assertEqual((branch["forked"], branch["config"], branch["step"]), ("run00000", {"lr": 3}, 0))
        self.assertEqual(server.steps("run00001"), [1])
        _, err = self.train("martlet.init('p', fork_from='nothing')", expect=1)
        self.assertIn("There is no run 'nothing'", err)

    def test_without_a_server_it_is_done_when_there_is_one(self):
        for arguments in ("id='mine', resume='allow'", "id='mine', rewind_to=0", "fork_from='run00000', step=1"):
            self.train(f"run = martlet.init('p', {arguments}, config={{'lr': 1}})\n{LOG}")
        server = self.serve()
        for path in sorted(self.spools(), key=lambda path: [word in self.text(path) for word in ("fork", "rewind_to")]):
            done = subprocess.run(
                [sys.executable, "-m", "martlet", "sync", path],
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual((len(server.runs), server.rewinds), (2, [("run00000", 0)]))
        self.assertEqual((server.runs["run00001"]["forked"], server.steps("run00001")), ("run00000", [2, 3, 4]))
        self.assertEqual(server.runs["run00001"]["config"], {"lr": 1})

    def text(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()


class SayingTest(ClientTest):
    def test_metrics_are_defined(self):
        server = self.serve()
        _, err = self.train(
            "martlet.define_metric('early')\n"
            "run = martlet.init('p')\n"
            "run.define_metric('val/*', step_metric='epoch', goal='maximize', summary='best')\n"
            "martlet.define_metric('lr', hidden=True)\n"
            "run.define_metric('x', summary='median'); run.define_metric('a*b'); run.define_metric('', goal='up')\n"
            "run.log({'val/acc': 1, 'epoch': 0})\n"
        )
        expected = {
            "val/*": {"step_metric": "epoch", "goal": "maximize", "summary": "best"},
            "lr": {"hidden": True},
        }
        self.assertEqual(server.runs["run00000"]["metrics"], expected)
        self.assertIn("summary is one of last, min, max, mean, best, none, not 'median'", err)
        self.assertIn("only at the end of a name", err)
        self.assertEqual((err.count("define_metric has no effect"), err.count("before init()")), (3, 1))

    def test_the_summary_is_read_and_set(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            "run.log({'loss': 0.5, 'note': 'x'})\n"
            "run.summary['best'] = 0.25\n"
            "run.summary.update({'loss': 1}, picture=martlet.Image([[1]]), gone=1)\n"
            "del run.summary['gone']\n"
            "assert dict(martlet.summary)['best'] == 0.25 and len(run.summary) == 4, run.summary\n"
            "assert run.summary['loss'] == 1 and run.summary['note'] == 'x' and 'gone' not in run.summary\n"
            "run.summary['odd'] = object()\n"
            "assert run.dropped == 1\n"
        )
        summary = server.runs["run00000"]["summary"]
        picture = summary.pop("picture")
        self.assertEqual(summary, {"best": 0.25, "loss": 1, "gone": None})
        self.assertIn(("run00000", picture["blob"]), server.blobs)

    def test_one_wrong_field_keeps_no_other_back(self):
        server = self.serve()
        honest = server.patch
        server.patch = lambda state, given: honest(state, given) if "notes" not in given else (422, {})
        self.attempt(server)
        _, err = self.train("run = martlet.init(notes='n', tags=['t'], config={'lr': 1})\nrun.log({'a': 1})")
        run = server.runs["k2f9a0xy"]
        self.assertEqual((run["tags"], run["config"], run.get("notes")), (["t"], {"lr": 1}, None))
        self.assertEqual((err.count("answered 422 to PATCH"), server.steps()), (1, [0]))


if __name__ == "__main__":
    unittest.main()
