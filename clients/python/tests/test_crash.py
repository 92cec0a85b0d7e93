"""Trainers, senders and servers that are killed, stopped or unwell: no row is lost, none comes twice."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

from support import CLIENT, PATIENCE, TOKEN, ClientTest, wait_for

SENDER = os.path.join(CLIENT, "martlet", "_sender.py")
ENDLESS = (
    "import struct\nrun = martlet.init('p')\n"
    "for i in range(10**9):\n"
    "  run.log({'loss': 1 / (i + 1), f'k{i % 50}': i, **({'note': 'x'} if i % 10 == 9 else {})})\n"
    "  os.write(1, struct.pack('<q', i))\n"
)


class TrainerTest(ClientTest):
    def test_a_killed_trainer_loses_no_row(self):
        server = self.serve()
        logged = {}
        for _ in range(5):
            process = self.start(ENDLESS, text=False, start_new_session=True)
            process.stdout.read(8)
            time.sleep(random.uniform(0, 0.2))  # the moment of the kill is what is varied
            os.killpg(process.pid, signal.SIGKILL)
            logged[len(logged)] = 1 + len(process.stdout.read()) // 8
            process.wait()
        wait_for(lambda: len(server.finishes) == 5, "the end of five runs")
        wait_for(lambda: not self.senders())
        for run, told in server.finishes:
            self.assertEqual(told["state"], "crashed")
            steps = server.steps(run)
            self.assertEqual(steps, list(range(len(steps))))
            # A row may have been written just before the kill, and its number not.
            self.assertIn(len(steps) - logged[int(run[3:])], (0, 1))
        self.assertEqual(self.spools(), [])

    def test_what_is_left_when_trainer_and_sender_are_killed_is_sent_later(self):
        server = self.serve()
        server.fault = lambda method, path: 503 if "log" in path else None
        process = self.start(ENDLESS, text=False)
        process.stdout.read(8 * 1000)
        (sender,) = self.senders()
        os.kill(sender, signal.SIGKILL)
        process.kill()
        logged = 1000 + len(process.stdout.read()) // 8
        process.wait()
        server.fault = lambda method, path: None
        self.assertEqual(server.all_rows(), [])
        self.sync(f"{self.spools()[0]} is sent")
        self.assertIn(len(server.steps()) - logged, (0, 1))
        self.assertEqual((server.steps(), self.spools()), (list(range(len(server.steps()))), []))

    def test_a_forked_child_is_a_client_of_its_own(self):
        server = self.serve()
        process = self.start(
            "run = martlet.init('p')\n"
            "for i in range(50): run.log({'parent': i})\n"
            "child = os.fork()\n"
            "for i in range(50): run.log({'parent' if child else 'child': i})\n"
            "if not child: print(os.getpid(), flush=True)\n"
            "time.sleep(300)\n"
        )
        child = int(process.stdout.readline())
        wait_for(lambda: len(server.all_rows()) == 150, "the rows of both")
        self.assertEqual(sorted(len(rows) for rows in server.rows.values()), [50, 100])
        process.kill()
        process.wait()
        wait_for(lambda: server.finishes, "the parent's end, which the child does not hide")
        wait_for(lambda: len(self.senders()) == 1, "the end of the parent's sender")
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: not self.senders())
        self.assertEqual((len(server.finishes), server.duplicates, self.spools()), (1, 0, []))

    def test_a_child_that_logs_nothing_costs_nothing_and_ends_nothing(self):
        server = self.serve()
        self.train(
            "import multiprocessing\n"
            "run = martlet.init('p'); run.log({'a': 1})\n"
            "worker = multiprocessing.get_context('fork').Process(target=print); worker.start(); worker.join()\n"
            "if os.fork() == 0: sys.exit(3)\n"
            "os.wait(); run.log({'a': 2})\n"
        )
        self.assertEqual((server.steps(), len(server.rows)), ([0, 1], 1))
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])

    def test_threads_and_signal_handlers_log_together(self):
        server = self.serve()
        out, _ = self.train(
            "import itertools\n"
            "run, hits = martlet.init('p'), itertools.count()\n"
            "def handler(*_): n = next(hits); run.log({f'sig{n % 100}': 1}, 10**6 + n)\n"
            "signal.signal(signal.SIGALRM, handler)\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
            "def work(k):\n"
            "  for i in range(500): run.log({f't{k}/{i % 40}': i}, k * 1000 + i)\n"
            "threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]\n"
            "[t.start() for t in threads]\n"
            "for i in range(10_000): run.log({'main': i, f'n{i}': 1} if i % 100 == 0 else {'main': i}, 10_000 + i)\n"
            "[t.join() for t in threads]\n"
            "signal.setitimer(signal.ITIMER_REAL, 0)\n"
            "run.finish()\n"
            "assert run.dropped == 0\n"
            "print(next(hits))\n"
        )
        hits = int(out)
        self.assertGreater(hits, 5)
        threads = [k * 1000 + i for k in range(4) for i in range(500)]
        self.assertEqual(sorted(server.steps()), [*threads, *range(10_000, 20_000), *range(10**6, 10**6 + hits)])
        self.assertTrue(
            all(r["values"]["main"] == r["step"] - 10_000 for r in server.all_rows() if 10_000 <= r["step"] < 20_000)
        )

    def test_finish_inside_a_log_comes_after_it(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            "class Value:\n"
            "  def __float__(self): run.finish(); return 1.0\n"  # what a signal handler might do at the worst moment
            "run.log({'a': Value()})\n"
        )
        self.assertEqual((server.values(), len(server.finishes)), ([{"a": 1.0}], 1))

    def sync(self, expect):
        command = [sys.executable, "-m", "martlet", "sync"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertIn(expect, done.stdout + done.stderr)


class SenderTest(ClientTest):
    def test_a_killed_sender_is_followed_by_another(self):
        server = self.serve()
        process = self.start(
            "import martlet._run\nmartlet._run.LOOK_AFTER = 100_000\n"
            "run = martlet.init('p')\n"
            "def rows(n):\n"
            "  for i in range(n): run.log({'a': 1})\n"
            "rows(1000); sys.stdin.readline()\n"
            "rows(1000); time.sleep(0.2); rows(1); sys.stdin.readline()\n"
            "rows(1000)\n",
            stdin=subprocess.PIPE,
        )
        wait_for(server.all_rows)
        (sender,) = self.senders()
        second = subprocess.run(
            [sys.executable, "-IS", SENDER, self.spools()[0]], env=self.environment, timeout=2 * PATIENCE, check=False
        )
        self.assertEqual(second.returncode, 1, "a spool has one sender")
        os.kill(sender, signal.SIGKILL)
        wait_for(lambda: not self.senders())
        process.stdin.write("\n")
        process.stdin.flush()
        wait_for(lambda: len(server.all_rows()) == 2001, "the rows after the kill, through a new sender")
        for sender in self.senders():
            with contextlib.suppress(ProcessLookupError):
                os.kill(sender, signal.SIGKILL)
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(server.steps(), list(range(3001)), err)
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])

    def test_asked_to_leave_it_sends_what_is_there_and_goes(self):
        server = self.serve()
        self.attempt(server)
        process = self.start(
            "run = martlet.init()\nrun.log({'a': 1})\nsys.stdin.readline()\n"
            "for i in range(19_999): run.log({'a': 1})\nprint(flush=True)\ntime.sleep(300)",
            stdin=subprocess.PIPE,
        )
        wait_for(server.all_rows)  # by now it hears what it is asked
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        (sender,) = self.senders()
        os.kill(sender, signal.SIGTERM)
        wait_for(lambda: not self.senders())
        self.assertEqual(server.steps(), list(range(20_000)))
        process.kill()
        process.wait()
        with open(self.spools()[0][: -len("spool")] + "ack") as file:
            self.assertEqual(json.load(file)["next_seq"], 20_000)

    def test_asked_to_leave_while_nobody_answers_it_goes_as_well(self):
        server = self.serve()
        self.attempt(server)
        server.down()
        process = self.start("run = martlet.init()\nrun.log({'a': 1})\nprint(flush=True)\ntime.sleep(300)")
        process.stdout.readline()
        server.refuse(2)  # so that it is in the midst of its tries
        started = time.monotonic()
        for sender in self.senders():
            os.kill(sender, signal.SIGTERM)
        wait_for(lambda: not self.senders())
        self.assertLess(time.monotonic() - started, PATIENCE)
        self.assertEqual(len(self.spools()), 1)
        server.up()

    def test_the_terminals_signals_do_not_reach_it(self):
        server = self.serve()
        process = self.start("run = martlet.init('p')\nrun.log({'a': 1})\ntime.sleep(300)")
        wait_for(server.all_rows)
        (sender,) = self.senders()
        os.kill(sender, signal.SIGINT)
        os.kill(sender, signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=2 * PATIENCE)
        self.assertEqual(server.finishes[0][1]["state"], "stopped")


class ServerTest(ClientTest):
    def test_a_server_that_is_away_or_unwell_costs_the_trainer_nothing(self):
        server = self.serve()
        rolls = random.Random(1)
        server.fault = lambda method, path: rolls.choice(["cut", 500, None, None, None]) if "/log?" in path else None
        process = self.start(
            "run = martlet.init('p')\n"
            "d, slowest, i = {f'k{i}': i * .1 for i in range(10)}, 0, 0\n"
            "threading.Thread(target=sys.stdin.readline, daemon=False).start()\n"
            "while threading.active_count() > 1:\n"
            "  s = time.thread_time(); run.log(d); slowest = max(slowest, time.thread_time() - s); i += 1\n"
            "  time.sleep(0.0005)\n"
            "print(i, slowest)\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: len(server.all_rows()) > 500)
        server.down()
        server.refuse(3)  # the outage lasts for so many tries
        server.up()
        wait_for(lambda: server.duplicates > 0 and len(server.all_rows()) > 2000)
        out, err = process.communicate("\n", timeout=2 * PATIENCE)
        logged, slowest = out.split()
        self.assertEqual(server.steps(), list(range(int(logged))), err)
        self.assertLess(float(slowest), 1, "seconds of processor time of one log()")
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])

    def test_a_server_that_was_restored_gets_the_rows_again_that_it_lost(self):
        server = self.serve()
        process = self.start(
            "run = martlet.init('p')\nfor i in range(1000): run.log({'a': i})\n"
            "sys.stdin.readline()\nrun.log({'b': 1})\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: len(server.all_rows()) == 1000)
        with server.lock:
            (rows,) = server.rows.values()
            del rows[300:]
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(server.steps(), list(range(1001)))
        self.assertEqual(server.values()[999:], [{"a": 999.0}, {"b": 1.0}])

    def test_a_refusal_is_said_and_the_spool_kept(self):
        for status in (401, 403, 404, 422):
            with self.subTest(status=status):
                server = self.serve()
                server.fault = lambda method, path, status=status: status if "/log?" in path else None
                _, err = self.train("martlet.init('p').log({'a': 1})")
                self.assertIn(f"answered {status} to POST /runs/run00000/log", err)
                self.assertIn("1 of 1 rows are not with the server yet", err)
                self.assertEqual(server.count("POST", r".*/log\?.*"), 1, "what was refused is not tried again")
                self.assertEqual(server.finishes, [])
                (spool,) = self.spools()
                with open(spool[: -len("spool")] + "error") as file:
                    self.assertIn("Not now. Try another.", file.read())
                os.unlink(spool)

    def test_too_many_requests_are_waited_for(self):
        server = self.serve()
        faults = iter([429, 429])
        server.fault = lambda method, path: next(faults, None) if "/log?" in path else None
        self.train("martlet.init('p').log({'a': 1})")
        self.assertEqual((server.steps(), server.count("POST", r".*/log\?.*")), ([0], 3))

    def test_refused_fields_do_not_stop_the_points(self):
        server = self.serve()
        self.attempt(server)
        server.fault = lambda method, path: 403 if method == "PATCH" else None
        _, err = self.train("run = martlet.init(config={'lr': 1})\nrun.log({'a': 1})")
        self.assertEqual((server.steps(), self.spools()), ([0], []))
        self.assertIn("answered 403 to PATCH", err)

    def test_what_is_no_martlet_server_gets_no_rows_acknowledged(self):
        server = self.serve()
        honest = server.answer
        server.answer = lambda method, path, *rest: (200, {}) if "/log?" in path else honest(method, path, *rest)
        self.environment["MARTLET_FINISH_TIMEOUT"] = "0.5"
        _, err = self.train("martlet.init('p').log({'a': 1})")
        self.assertIn("1 of 1 rows are not with the server yet", err)
        server.answer = honest
        wait_for(lambda: not self.senders())
        self.assertEqual(server.steps(), [0])


class OfflineTest(ClientTest):
    def sync(self, *arguments, expect=0):
        command = [sys.executable, "-m", "martlet", "sync", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_without_a_server_the_run_is_kept_and_sent_later(self):
        _, err = self.train(
            "run = martlet.init('digits', 'kept', config={'lr': 1})\n"
            "run.log({'a': 1})\n"
            "if os.fork() == 0: run.log({'b': 2}); os._exit(0)\n"
            "os.wait(); run.config.seed = 3; sys.exit(2)\n",
            expect=2,
        )
        self.assertIn("MARTLET_URL is not set", err)
        self.assertIn("-m martlet sync " + os.path.dirname(self.spools()[0]), err)
        self.assertEqual((len(self.spools()), self.senders()), (2, []))
        self.assertIn("MARTLET_URL is not set", self.sync(expect=1))
        server = self.serve()
        self.sync()
        self.assertEqual(len(server.runs), 1, "parent and child are one run")
        (run,) = server.runs.values()
        self.assertEqual((run["project"], run["name"], run["config"]), ("digits", "kept", {"lr": 1, "seed": 3}))
        self.assertEqual(sorted(map(json.dumps, server.values())), ['{"a": 1.0}', '{"b": 2.0}'])
        self.assertEqual(server.finishes, [("run00000", {"exit_code": 2, "state": "failed"})])
        self.assertEqual(self.spools(), [])
        self.assertIn("nothing to send", self.sync())

    def test_a_server_that_refuses_the_run_leaves_it_offline(self):
        self.serve()
        self.environment["MARTLET_TOKEN"] = "wrong"
        _, err = self.train("run = martlet.init('p', directory='out')\nassert run.url is None\nrun.log({'a': 1})")
        self.assertIn("answered 401 to POST /runs: The token is unknown. Try another.", err)
        self.assertIn(os.path.join("out", ".martlet"), self.spools()[0])
        self.environment["MARTLET_TOKEN"] = TOKEN
        self.sync(os.path.join(self.home, "out"))
        self.assertEqual(os.listdir(os.path.join(self.home, "out")), [])

    def test_offline_asks_for_no_server_and_disabled_for_nothing(self):
        server = self.serve()
        self.train("run = martlet.init('p', mode='offline')\nrun.log({'a': 1})")
        self.assertEqual((server.requests, len(self.spools())), ([], 1))
        os.unlink(self.spools()[0])
        _, err = self.train(
            "run = martlet.init('p', mode='disabled', config={'lr': 1})\n"
            "run.log({'a': 1}); run.on_stop(print); run.config.lr += 1; run.finish()\n"
            "assert (run.url, run.dir, run.config.lr, run.dropped) == (None, os.getcwd(), 2, 0)"
        )
        self.assertEqual((server.requests, self.spools(), err), ([], [], ""))

    def test_nothing_breaks_the_training(self):
        server = self.serve()
        with open(os.path.join(self.home, "file"), "w"):
            pass
        _, err = self.train("run = martlet.init('p', directory='file/below')\nrun.log({'a': 1})\nprint(run.summary)")
        self.assertIn("the spool could not be written", err)
        self.environment["MARTLET_URL"] = "nonsense"
        _, err = self.train("run = martlet.init('p')\nrun.log({'a': 1})")
        self.assertIn("'nonsense' is no address of a server", err)
        self.environment["MARTLET_URL"] = server.url
        self.train("sys.stderr.close()\nrun = martlet.init('p')\nrun.log(3)\nrun.log({'a': object()})")
        _, err = self.train("from martlet import *\nlog({'a': 1}); log({'a': 1}); finish()")
        self.assertEqual(err.count("before init()"), 1)
        _, err = self.train(
            "run = martlet.init('p')\nsys.executable = ''\nif os.fork() == 0: run.log({'a': 1})\nos._exit(0)"
        )
        self.assertIn("no sender could be started", err)
        wait_for(lambda: not self.senders())

    def test_wrong_arguments_are_told(self):
        _, err = self.train("martlet.init(mode='on')", expect=1)
        self.assertIn("mode is one of online, offline, disabled, not 'on'", err)
        _, err = self.train("martlet.config", expect=1)
        self.assertIn("martlet.config is there after martlet.init()", err)


if __name__ == "__main__":
    unittest.main()
