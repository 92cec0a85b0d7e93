"""A run from init to finish against a server that behaves."""

import contextlib
import json
import math
import os
import signal
import subprocess
import time
import unittest

from support import PATIENCE, TOKEN, ClientTest, wait_for


class OutsideTest(ClientTest):
    def test_a_run_is_created_logged_and_finished(self):
        server = self.serve()
        _, err = self.train(
            "run = martlet.init('digits', config={'lr': 0.1}, tags=['a'], notes='n', group='g', job_type='train')\n"
            "for i in range(3): run.log({'loss': 1 / (i + 1), 'lr': 0.1})\n"
            "martlet.log({'loss': 0.0}, step=10)\n"
            "martlet.log({'loss': 0.0})\n"
            "assert run.summary == {'loss': 0.0, 'lr': 0.1}, run.summary\n"
            "run.finish(); run.finish()\n"
        )
        run = server.runs["run00000"]
        self.assertEqual(
            [run[key] for key in ("project", "config", "tags", "notes", "group", "job_type")],
            ["digits", {"lr": 0.1}, ["a"], "n", "g", "train"],
        )
        self.assertIn("-c", run["command"])
        self.assertEqual(run["workdir"], os.path.realpath(self.home))
        self.assertEqual(server.steps(), [0, 1, 2, 10, 11])
        self.assertEqual(server.values()[1], {"loss": 0.5, "lr": 0.1})
        self.assertLess(abs(server.all_rows()[0]["time"] / 1e6 - time.time()), 120)
        self.assertEqual(server.finishes, [("run00000", {"exit_code": 0, "state": "finished"})])
        self.assertIn(f"{server.url}/p/digits/runs/run00000", err)
        self.assertEqual(self.spools(), [], "what is delivered leaves nothing behind")
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])

    def test_ends_are_told_as_they_were(self):
        server = self.serve()
        cases = [
            ("", 0, {"exit_code": 0, "state": "finished"}),
            ("sys.exit(3)", 3, {"exit_code": 3, "state": "failed"}),
            ("sys.exit('no data')", 1, {"exit_code": 1, "state": "failed", "reason": "no data"}),
            ("1 / 0", 1, {"exit_code": 1, "state": "failed", "reason": "ZeroDivisionError: division by zero"}),
            ("raise KeyboardInterrupt", -2, {"exit_code": 130, "state": "stopped"}),
            ("run.finish(7, 'diverged')", 0, {"exit_code": 7, "state": "failed", "reason": "diverged"}),
            ("with run: raise ValueError('x')", 1, {"exit_code": 1, "state": "failed", "reason": "ValueError: x"}),
            # A sys.exit that somebody catches is not the end.
            ("try: sys.exit(5)\nexcept SystemExit: run.log({'a': 2})", 0, {"exit_code": 0, "state": "finished"}),
            ("os._exit(4)", 4, {"state": "crashed"}),
        ]
        started = [
            (self.start(f"run = martlet.init('p', {str(n)!r}); run.log({{'a': 1}})\n{code}"), n)
            for n, (code, _, _) in enumerate(cases)
        ]
        for process, n in started:
            process.communicate(timeout=2 * PATIENCE)
            self.assertEqual(process.returncode, cases[n][1], cases[n][0])
        wait_for(lambda: len(server.finishes) == len(cases), "the word of every end")
        for run, told in server.finishes:
            code, _, expected = cases[int(server.runs[run]["name"])]
            self.assertEqual({key: told.get(key) for key in expected}, expected, code)
        wait_for(lambda: not self.senders())

    def test_the_local_server_is_found_through_its_data_directory(self):
        server = self.serve()
        for name, data in (
            ("MARTLET_DATA", os.path.join(self.home, "data")),
            (None, os.path.join(self.home, ".martlet")),
        ):
            del self.environment["MARTLET_URL"], self.environment["MARTLET_TOKEN"]
            os.makedirs(data)
            with open(os.path.join(data, "server.json"), "w") as file:
                json.dump({"url": server.url, "pid": 1}, file)
            with open(os.path.join(data, "token"), "w") as file:
                file.write(TOKEN + "\n")
            if name:
                self.environment[name] = data
            self.train("martlet.init('p').log({'a': 1})")
            self.environment.pop(name or "", None)
            self.environment.update(MARTLET_URL="", MARTLET_TOKEN="")
        self.assertEqual(len(server.finishes), 2)

    def test_a_server_that_comes_back_on_another_port_is_found_again(self):
        server = self.serve()
        del self.environment["MARTLET_URL"]
        data = os.path.join(self.home, ".martlet")
        os.makedirs(data)

        def write() -> None:
            with open(os.path.join(data, "server.json"), "w") as file:
                json.dump({"url": server.url}, file)

        write()
        process = self.start(
            "run = martlet.init('p')\nrun.log({'a': 1})\nsys.stdin.readline()\nrun.log({'a': 2})", stdin=subprocess.PIPE
        )
        wait_for(lambda: len(server.all_rows()) == 1)
        old = server.port
        server.down()
        server.port = 0
        server.up()
        self.assertNotEqual(server.port, old)
        write()
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual((server.steps(), err.count("\n")), ([0, 1], 1))

    def test_points_come_at_once_and_then_several_times_a_second(self):
        server = self.serve()
        process = self.start("run = martlet.init('p')\nwhile True:\n  run.log({'a': 1}); time.sleep(0.02)")

        def is_steady() -> bool:
            """Of eight requests in a row: a machine that is busy with something else disturbs some, not all."""
            with server.lock:
                times = [at for _, path, at in server.requests if "/log?" in path]
            gaps = [b - a for a, b in zip(times, times[1:])]
            return any(0.2 < sorted(gaps[i : i + 7])[3] < 0.6 for i in range(len(gaps) - 6))

        wait_for(is_steady, "eight requests that are a quarter of a second apart")
        process.kill()
        process.wait()
        wait_for(lambda: not self.senders())
        self.assertEqual(server.finishes[0][1]["state"], "crashed")

    def test_git_is_told(self):
        server = self.serve()
        self.environment["MARTLET_CAPTURE"] = "git"
        git = ["git", "-C", self.home, "-c", "user.name=a", "-c", "user.email=a@b"]
        for command in (
            ["init", "-q", "-b", "trunk"],
            ["remote", "add", "origin", "https://me:pw@example.org/x.git"],
            ["commit", "-q", "--allow-empty", "-m", "x"],
        ):
            subprocess.run([*git, *command], check=True)
        commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        process = self.start("martlet.init('p').log({'a': 1})\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(lambda: "git" in server.runs.get("run00000", {}))  # the end would wait three seconds for it
        process.communicate("\n", timeout=2 * PATIENCE)
        expected = {"commit": commit, "branch": "trunk", "dirty": False, "remote": "https://example.org/x.git"}
        self.assertEqual(server.runs["run00000"]["git"], expected)

    def test_the_token_stands_in_no_file_and_on_no_command_line(self):
        server = self.serve()
        process = self.start("run = martlet.init('p')\nrun.log({'a': 1})\ntime.sleep(300)")
        wait_for(server.all_rows)
        for parent, _, names in os.walk(self.home):
            for name in names:
                path = os.path.join(parent, name)
                with contextlib.suppress(FileNotFoundError):  # one that the sender has just renamed
                    self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
                    with open(path, "rb") as file:
                        self.assertNotIn(TOKEN.encode(), file.read())
        (sender,) = self.senders()
        with open(f"/proc/{sender}/cmdline", "rb") as file:
            self.assertNotIn(TOKEN.encode(), file.read())
        self.assertNotEqual(os.getsid(sender), os.getsid(process.pid))
        process.kill()
        wait_for(lambda: not self.senders())

    def test_a_stop_that_the_server_asks_for_reaches_the_program(self):
        server = self.serve()
        self.environment["MARTLET_HEARTBEAT"] = "0.2"

        def stop(code: str, expect: int) -> None:
            """A program that is asked to stop once it has printed a line, and no sooner."""
            server.stop_requested = False
            process = self.start(code)
            process.stdout.readline()
            server.stop_requested = True
            _, err = process.communicate(timeout=2 * PATIENCE)
            self.assertEqual(process.returncode, expect, err)

        handled = "run.on_stop(lambda: run.log({'stopped': 1}))\nprint(flush=True)\n"
        handled += "while not run.stopping: time.sleep(0.01)\nsys.exit(1)"
        stop("run = martlet.init('p')\n" + handled, 1)
        self.assertEqual(server.values(), [{"stopped": 1.0}])
        sleeping = "run = martlet.init('p')\nprint(flush=True)\ntime.sleep(300)"
        stop(sleeping, -signal.SIGINT)
        stop("signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + sleeping, -signal.SIGTERM)
        wait_for(lambda: len(server.finishes) == 3)
        self.assertEqual([told["state"] for _, told in server.finishes], ["stopped"] * 3)


class AttemptTest(ClientTest):
    def test_the_trials_parameters_and_the_run_are_taken_from_the_environment(self):
        server = self.serve()
        self.attempt(server)
        parameters = os.path.join(self.home, "params.json")
        with open(parameters, "w") as file:
            json.dump({"lr": 0.5, "model": {"width": 8}}, file)
        self.environment["MARTLET_PARAMS"] = parameters
        out, err = self.train(
            "run = martlet.init('other', config={'lr': 1, 'seed': 7, 'model': {'depth': 2}})\n"
            "assert martlet.init() is run\n"
            "run.config.late = 3\n"
            "run.log({'loss': run.config.lr})\n"
            "print(json.dumps([run.id, run.name, run.project, run.dir, dict(martlet.config)]))\n"
        )
        config = {"lr": 0.5, "seed": 7, "model": {"depth": 2, "width": 8}, "late": 3}
        directory = self.environment["MARTLET_RUN_DIR"]
        self.assertEqual(json.loads(out), ["k2f9a0xy", "swift-finch-3", "digits", directory, config])
        self.assertEqual(err, "")
        self.assertEqual(server.runs["k2f9a0xy"]["config"], config)
        self.assertIn("python", server.runs["k2f9a0xy"])
        self.assertEqual(server.values("k2f9a0xy"), [{"loss": 0.5}])
        self.assertEqual((server.count("POST", "/api/v1/runs"), server.finishes), (0, []))

    def test_the_spool_lies_where_the_server_says(self):
        server = self.serve()
        self.attempt(server)
        server.fault = lambda method, path: 503
        self.environment.update(
            MARTLET_SPOOL_DIR=os.path.join(self.home, "attempt-1", "spool"), MARTLET_FINISH_TIMEOUT="0.2"
        )
        _, err = self.train("martlet.init().log({'loss': 1})")
        (spool,) = self.spools()
        self.assertEqual(os.path.dirname(spool), self.environment["MARTLET_SPOOL_DIR"])
        self.assertIn("1 of 1 rows are not with the server yet", err)
        server.fault = lambda method, path: None
        wait_for(lambda: not self.senders())
        self.assertEqual((self.spools(), server.values()), ([], [{"loss": 1.0}]))

    def test_a_server_that_comes_back_on_another_port_is_found_through_its_data_directory(self):
        server = self.serve()
        self.attempt(server)
        self.environment["MARTLET_DATA"] = self.home
        code = "run = martlet.init()\nrun.log({'a': 1})\nsys.stdin.readline()\nrun.log({'a': 2})"
        process = self.start(code, stdin=subprocess.PIPE)
        wait_for(lambda: len(server.all_rows()) == 1)
        server.down()
        server.port = 0
        server.up()
        with open(os.path.join(self.home, "server.json"), "w") as file:
            json.dump({"url": server.url}, file)
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual((server.steps(), err), ([0, 1], ""))

    def test_the_reason_of_a_failure_is_told(self):
        server = self.serve()
        self.attempt(server)
        self.train("martlet.init().log({'loss': math})", expect=1)
        self.assertEqual(server.finishes, [("k2f9a0xy", {"reason": "NameError: name 'math' is not defined"})])

    def test_an_attempt_says_which_signal_stops_it(self):
        server = self.serve()
        spool = self.attempt(server)
        process = self.start(
            "run = martlet.init()\nrun.on_stop(lambda: run.log({'stopped': 1}))\nprint(flush=True)\n"
            "while not run.stopping: time.sleep(0.01)"
        )
        process.stdout.readline()
        with open(os.path.join(spool, "stop_signal")) as file:
            self.assertEqual(file.read(), "USR1\n")
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=2 * PATIENCE)
        self.assertEqual((process.returncode, server.values()), (0, [{"stopped": 1.0}]))

    def test_unreadable_parameters_end_the_program(self):
        server = self.serve()
        self.attempt(server)
        self.environment["MARTLET_PARAMS"] = os.path.join(self.home, "none.json")
        _, err = self.train("martlet.init()", expect=1)
        self.assertIn("none.json", err)


class ValuesTest(ClientTest):
    def test_values_arrive_as_they_were(self):
        server = self.serve()
        _, err = self.train(
            "import decimal, pathlib\n"
            "run = martlet.init('p')\n"
            "odd = {'nan': float('nan'), 'inf': float('inf'), '-inf': -float('inf'), 'zero': -0.0, 'tiny': 5e-324,\n"
            "       'é/ß \"q\"': 1e308, 'int': 7}\n"
            "run.log(odd, 2**53 + 1)\n"
            "run.log(odd, -5)\n"
            "class Scalar:\n"
            "  size = 1\n"
            "  def item(self): return 0.25\n"
            "class Array:\n"
            "  size = 2\n"
            "  def item(self): raise ValueError('two')\n"
            "  def tolist(self): return [1, 2.5]\n"
            "run.log({'s': Scalar(), 'd': decimal.Decimal('1.5')}, 1)\n"
            "run.log({'a': Array(), 'text': 'x\\ud800\\n', 'yes': True, 'none': None, 7: 1,\n"
            "         'deep': {'x': [1, float('nan')]}, 'path': pathlib.Path('/a')}, 2)\n"
            "run.log({'a': object(), 'b': 2}, 3)\n"  # a is dropped
            "run.log({'huge': 10**400})\n"  # dropped
            "run.log({'a': 1}, step='no step')\n"  # dropped
            "run.log({'a': 1}, step=2**70)\n"  # dropped
            "run.log('no dictionary')\n"  # dropped
            "run.log({'n' * 600: 1, '': 1})\n"  # two dropped
            "run.log({'big': 2**70, 'i': 2**63 - 1})\n"
            "loop = {}; loop['loop'] = loop\n"
            "run.log({'loop': loop, 'after': 1})\n"  # loop is dropped
            "assert run.dropped == 8, run.dropped\n"
            "run.finish()\n"
            "run.log({'a': 1})\n"
            "assert run.dropped == 9\n"
        )
        rows = server.values()
        self.assertEqual(server.steps()[:5], [2**53 + 1, -5, 1, 2, 3])
        for row in rows[:2]:
            self.assertTrue(math.isnan(row.pop("nan")))
            self.assertEqual(math.copysign(1, row["zero"]), -1)
            self.assertEqual(
                row, {"inf": math.inf, "-inf": -math.inf, "zero": 0, "tiny": 5e-324, 'é/ß "q"': 1e308, "int": 7}
            )
        self.assertEqual(rows[2], {"s": 0.25, "d": 1.5})
        self.assertTrue(math.isnan(rows[3]["deep"]["x"].pop()))
        expected = {"a": [1, 2.5], "text": "x?\n", "yes": True, "none": None, "deep": {"x": [1]}, "7": 1, "path": "/a"}
        self.assertEqual(rows[3], expected)
        self.assertIs(rows[3]["yes"], True)
        self.assertEqual(rows[4:], [{"b": 2.0}, {"big": 2.0**70, "i": 2.0**63}, {"after": 1.0}])
        self.assertIn("8 logged values could not be kept", err)

    def test_scalars_of_other_libraries_are_points_like_any_other(self):
        """A type that is a real number is learnt when it is first seen, and packed as fast from then on."""
        server = self.serve()
        self.train(
            "import fractions, enum\n"
            "class Level(enum.IntEnum): HIGH = 7\n"
            "class Mine(float): pass\n"
            "run = martlet.init('p')\n"
            "for i in range(3): run.log({'f': fractions.Fraction(1, 4), 'e': Level.HIGH, 'm': Mine(0.5), 'b': i})\n"
            "run.log({'f': fractions.Fraction(10**400), 'b': True})\n"  # f is dropped, b stays what it is
            "assert run.dropped == 1 and len(run._shapes) == 1\n"
        )
        self.assertEqual(server.values()[:3], [{"f": 0.25, "e": 7, "m": 0.5, "b": i} for i in range(3)])
        self.assertEqual(server.values()[3], {"b": True})

    def test_a_hundred_thousand_rows(self):
        server = self.serve()
        out, _ = self.train(
            "run = martlet.init('p')\n"
            "d = {f'k{i}/loss': i * .1 for i in range(10)}\n"
            "start = time.perf_counter()\n"
            "for i in range(100_000): run.log(d)\n"
            "print(time.perf_counter() - start)\n"
            "run.finish()\n"
        )
        self.assertEqual(server.steps(), list(range(100_000)))
        self.assertEqual(server.duplicates, 0)
        self.assertLess(float(out), 30, "100,000 rows take half a second on a quiet machine")


if __name__ == "__main__":
    unittest.main()
