"""`python3 -m martlet sync`, offline runs, and disks that take nothing."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

from support import CLIENT, PATIENCE, ClientTest, wait_for

KEEP = "import martlet._run\nmartlet._run.LOOK_AFTER = 50_000\n"


class SyncTest(ClientTest):
    def sync(self, *arguments, expect=0):
        command = [sys.executable, "-m", "martlet", "sync", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_run_that_still_goes_on_is_sent_as_far_as_it_is(self):
        process = self.start(
            "run = martlet.init('p', mode='offline', config={'lr': 1})\n"
            "for line in sys.stdin:\n"
            "  for i in range(int(line)): run.log({'a': i})\n"
            "  print(flush=True)\n",
            stdin=subprocess.PIPE,
        )

        def log(count):
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            process.stdout.readline()

        log(1000)
        server = self.serve()
        self.assertIn("1 spool: 1,000 rows, ", self.sync())
        self.assertIn("1 program still writing", self.sync())
        self.assertEqual((server.steps(), len(server.runs), server.finishes), (list(range(1000)), 1, []))
        log(500)
        self.assertIn(": 500 rows sent; its program still runs", self.sync(self.spools()[0]))
        self.assertEqual((len(server.steps()), server.duplicates), (1500, 0))
        log(1)
        process.communicate(timeout=2 * PATIENCE)
        self.assertIn("is sent: 1 row", self.sync(os.path.join(self.home, ".martlet-client")))
        self.assertEqual((server.steps(), len(server.runs), server.duplicates), (list(range(1501)), 1, 0))
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])
        self.assertIn("nothing to send", self.sync())

    def test_a_run_with_a_sender_is_left_to_it(self):
        server = self.serve()
        process = self.start("run = martlet.init('p')\nrun.log({'a': 1})\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(server.all_rows)
        self.assertIn("has a sender already", self.sync())
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual((server.steps(), server.duplicates), ([0], 0))

    def test_several_at_once_send_everything_once(self):
        for _ in range(3):
            self.train("run = martlet.init('p', mode='offline')\nfor i in range(3000): run.log({'a': i})")
        server = self.serve()
        command = [sys.executable, "-m", "martlet", "sync"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        at_it = [subprocess.Popen(command, env=self.environment, **pipes) for _ in range(4)]
        for one in at_it:
            out, _ = one.communicate(timeout=2 * PATIENCE)
            self.assertEqual(one.returncode, 0, out)
        self.sync()
        self.assertEqual((len(server.runs), len(server.finishes), self.spools()), (3, 3, []))
        for run in server.runs:
            self.assertEqual(server.steps(run), list(range(3000)))

    def test_an_offline_run_is_made_once_whatever_becomes_of_its_note(self):
        log = "for i in range(3): run.log({'a': i})\n"
        self.train("run = martlet.init('p', 'kept', mode='offline', config={'lr': 1})\n" + log)
        server = self.serve()
        met = []

        def fault(_method, path):  # the run is made, and nobody hears of it
            met.append(path)
            return "cut" if met.count("/api/v1/runs") == 1 else 403 if "/log?" in path else None

        server.fault = fault
        self.assertIn("was refused", self.sync(expect=1))
        self.assertGreater(met.count("/api/v1/runs"), 1)
        (note,) = [name for name in os.listdir(os.path.dirname(self.spools()[0])) if name.endswith(".run")]
        os.unlink(os.path.join(os.path.dirname(self.spools()[0]), note))  # killed before it was written
        server.fault = lambda method, path: None
        self.sync()
        (run,) = server.runs.values()
        self.assertEqual((run["name"], run["state"], run["config"]), ("kept", "finished", {"lr": 1}))
        self.assertEqual((server.steps(), server.duplicates), ([0, 1, 2], 0))

    def test_a_spool_with_nothing_in_it_is_removed(self):
        self.train("martlet.init('p', mode='offline').log({'a': 1}); os.kill(os.getpid(), 9)", expect=-9)
        (path,) = self.spools()
        with open(path, "rb") as file:
            (length,) = struct.unpack("<I", file.read(4))
        for size in (7 + length, 8, 5, 0):  # no server is needed for it
            os.truncate(path, size)
            with open(path, "rb") as live:
                fcntl.flock(live, fcntl.LOCK_EX)
                self.assertIn("its program has just begun", self.sync())
            self.assertEqual((self.spools(), os.path.getsize(path)), ([path], size))
        self.assertIn("had nothing in it: its program was killed as it began. It is removed", self.sync())
        self.assertFalse(os.path.exists(os.path.dirname(path)))

    def test_a_program_that_begins_while_empty_spools_are_removed(self):
        """Between the making of its file and the lock on it somebody holds the file, or takes it away."""
        server = self.serve()
        self.train(
            "import fcntl, martlet._spool as s\n"
            "honest, met = s.try_lock, []\n"
            "def meddled(fd, kind):\n"
            "  path = os.readlink(f'/proc/self/fd/{fd}')\n"
            "  met.append(path)\n"
            "  if len(met) == 1: os.unlink(path)\n"
            "  if len(met) == 2:\n"
            "    with open(path) as other:\n"
            "      fcntl.flock(other, fcntl.LOCK_SH)\n"
            "      return honest(fd, kind)\n"
            "  return honest(fd, kind)\n"
            "s.try_lock = meddled\n"
            "run = martlet.init('p')\n"
            "run.log({'a': 1})\n"
            "assert len(set(met)) == 3, met\n"
            "left = [name for name in os.listdir(os.path.dirname(met[0])) if name.endswith('.spool')]\n"
            "assert left == [os.path.basename(met[2])], left\n"
        )
        self.assertEqual((server.steps(), len(server.runs)), ([0], 1))

    def test_a_server_that_does_not_answer_is_given_up(self):
        server = self.serve()
        self.train("martlet.init('p', mode='offline').log({'a': 1})")
        self.train("martlet.init('q', mode='offline').log({'a': 1})")
        server.down()
        said = self.sync("--wait", "0.2", expect=1)
        self.assertEqual(said.count("no answer for"), 2, said)
        self.assertIn("2 spools: 0 rows, 0.0 kB sent; 2 spools could not be sent", said)
        server.up()
        self.assertIn("2 spools: 2 rows", self.sync())
        self.train("martlet.init('p', mode='offline').log({'a': 1})")
        server.fault = lambda method, path: 403 if "/log?" in path else None
        self.assertIn("was refused: http", self.sync(expect=1))
        server.fault = lambda method, path: None
        self.sync()
        self.assertEqual(len(server.runs), 3, "the run is made once")

    def test_progress_is_shown_on_a_terminal(self):
        self.train("run = martlet.init('p', mode='offline')\nfor i in range(100_000): run.log({'a': i})")
        server = self.serve()
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", "import martlet._sync as s; s.EVERY = 0\nfrom martlet.__main__ import main\n"]
        command[2] += "import sys; sys.exit(main(['sync']))"
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=theirs, timeout=2 * PATIENCE, check=True
        )
        shown = os.read(ours, 1 << 16).decode()
        os.close(ours)
        os.close(theirs)
        self.assertRegex(shown, r"offline-\w+: \d+ % of 4.5 MB, [\d,]+ rows")
        self.assertIn("1 spool: 100,000 rows", done.stdout.decode())
        self.assertEqual(len(server.steps()), 100_000)

    def test_interrupted_it_says_so_and_goes_on_later(self):
        self.train("run = martlet.init('p', mode='offline')\nfor i in range(1000): run.log({'a': i})")
        server = self.serve()
        server.fault = lambda method, path: 503 if "/log?" in path else None
        command = [
            sys.executable,
            "-c",
            "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n",
        ]
        command[2] += "from martlet.__main__ import main\nsys.exit(main(['sync']))"
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        wait_for(lambda: server.count("POST", r".*/log\?.*") >= 2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=2 * PATIENCE)
        self.assertEqual(process.returncode, 130, out)
        self.assertIn("stopped; what is not sent yet stays", out)
        server.fault = lambda method, path: None
        self.sync()
        self.assertEqual(server.steps(), list(range(1000)))

    def test_the_mode_may_come_from_the_environment(self):
        server = self.serve()
        self.environment["MARTLET_MODE"] = "offline"
        self.train("run = martlet.init('p')\nrun.log({'a': 1})")
        self.train("run = martlet.init('p', mode='online')\nrun.log({'a': 1})")
        self.assertEqual((len(server.runs), len(self.spools())), (1, 1))
        self.environment["MARTLET_MODE"] = "disabled"
        _, err = self.train(
            "run = martlet.init('p')\n"
            "run.log({'a': martlet.Image([[1]])}); run.define_metric('a'); run.summary['a'] = 1; run.log(3)\n"
            "assert run.dropped == 0 and run.summary['a'] == 1\n"
        )
        self.assertEqual((len(server.runs), len(self.spools()), err), (1, 1, ""))
        self.environment["MARTLET_MODE"] = "of"
        _, err = self.train("run = martlet.init('p')\nrun.log({'a': 1})")
        self.assertIn("MARTLET_MODE is 'of', not one of online, offline, disabled; online is used", err)
        self.assertEqual(len(server.runs), 2)


class DiskTest(ClientTest):
    def test_a_full_disk_costs_rows_and_is_told(self):
        """A tiny tmpfs where we may mount one, else the limit of a file's size."""
        server = self.serve()
        mounted = self.tiny_disk()
        fill = (
            "filler = open('small/filler', 'wb', 0)\n"
            "try:\n  while filler.write(b'x' * 4096): pass\n"
            "except OSError: pass\n"
            if mounted
            else "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))\n"
        )
        empty = (
            "filler.close(); os.unlink('small/filler')\n"
            if mounted
            else "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        )
        _, err = self.train(
            KEEP + "run = martlet.init('p', directory='small')\n"
            "for i in range(100): run.log({'a': i}, i)\n"
            + fill
            + "for i in range(1000): run.log({'a': i, 'text': 'x' * 100}, 1000 + i)\n"
            "run.log({'page': martlet.Html('x' * 100_000)})\n"
            "lost = run.dropped\nassert lost > 500, lost\n"
            + empty
            + "for i in range(100): run.log({'a': i}, 5000 + i); time.sleep(0.001)\n"
            "assert run.dropped == lost\n"
        )
        steps = server.steps()
        self.assertEqual((steps[:100], steps[-100:]), (list(range(100)), list(range(5000, 5100))))
        self.assertEqual((steps, len(set(steps))), (sorted(steps), len(steps)))
        words = "is on a disk that is full" if mounted else "holds a file as large as files may be"
        self.assertIn(words + "; what is logged is lost until that changes", err)
        self.assertIn("the disk takes rows again", err)
        self.assertEqual(err.count("until that changes"), 1)
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])

    def test_a_run_that_ends_on_a_full_disk_has_ended_well(self):
        if not self.tiny_disk():
            self.skipTest("only root can mount a disk that is full")
        server = self.serve()
        self.train(
            "run = martlet.init('p', directory='small')\n"
            "run.log({'a': 1})\n"
            "try:\n  with open('small/filler', 'wb', 0) as file:\n    while True: file.write(b'x' * 4096)\n"
            "except OSError: pass\n"
            "for i in range(300): run.log({'a': 1})\n"
        )
        self.assertEqual([told["state"] for _, told in server.finishes], ["finished"])
        self.assertLess(len(server.steps()), 301)

    def test_where_nothing_can_be_written_another_place_is_found(self):
        server = self.serve()
        temporary = tempfile.mkdtemp(dir=self.home)
        self.environment["TMPDIR"] = temporary
        with open(os.path.join(self.home, "file"), "w"):
            pass
        for directory in ("file/below", "/proc/nothing"):
            _, err = self.train(f"run = martlet.init('p', directory='{directory}')\nrun.log({{'a': 1}})")
            self.assertIn("the spool could not be written in", err)
            self.assertIn(f"it lies in {temporary}/martlet-{os.getuid()}/spool", err)
        self.assertEqual(len(server.steps()), 2)
        self.assertEqual(os.stat(os.path.join(temporary, f"martlet-{os.getuid()}")).st_mode & 0o777, 0o700)
        os.chmod(os.path.join(temporary, f"martlet-{os.getuid()}"), 0o777)  # as if another had made it
        _, err = self.train("run = martlet.init('p', directory='file/below')\nrun.log({'a': 1})\nprint(run.summary)")
        self.assertIn("nothing can be logged: the spool could not be written", err)

    def test_a_disk_that_can_only_be_read(self):
        small = self.tiny_disk()
        if not small:
            self.skipTest("only root can mount a disk that can only be read")
        self.environment["TMPDIR"] = self.home
        self.train("run = martlet.init('p', mode='offline', directory='small')\nrun.log({'a': 1})")
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        _, err = self.train("run = martlet.init('p', mode='offline', directory='small')\nrun.log({'a': 2})")
        self.assertIn("Read-only file system", err)
        server = self.serve()
        command = [sys.executable, "-m", "martlet", "sync", self.home]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(sorted(row["a"] for row in server.values()), [1, 2], done.stdout + done.stderr)
        self.assertIn("is sent, but cannot be removed", done.stderr)

    def tiny_disk(self):
        """A tmpfs of 256 kB at `small`; None where we may not mount."""
        small = os.path.join(self.home, "small")
        os.makedirs(small, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "martlet-test", small]
        if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        return small


class ProcessTest(ClientTest):
    def test_eight_threads(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            "def work(k):\n"
            "  for i in range(2000):\n"
            "    run.log({f't{k}': i, **({'page': martlet.Html('x')} if i % 200 == 0 else {})}, i)\n"
            "threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]\n"
            "[t.start() for t in threads]; [t.join() for t in threads]\n"
            "assert run.dropped == 0\n"
        )
        rows = server.all_rows()
        self.assertEqual([row["seq"] for row in rows], list(range(16_000)))
        for k in range(8):
            self.assertEqual([row["step"] for row in rows if f"t{k}" in row["values"]], list(range(2000)))
        self.assertEqual(server.unfounded, [])

    def test_workers_that_are_forked_or_spawned(self):
        server = self.serve()
        path = os.path.join(self.home, "workers.py")
        with open(path, "w") as file:
            file.write(
                "import multiprocessing, sys, martlet\n"
                "def work(k):\n"
                "  for i in range(50): run.log({f'w{k}': i})\n"
                "def begin(k):\n"
                "  run = martlet.init('p', f'spawned-{k}')\n"
                "  for i in range(50): run.log({f's{k}': i})\n"
                "if __name__ == '__main__':\n"
                "  run = martlet.init('p', 'parent')\n"
                "  for method, target in (('fork', work), ('spawn', begin)):\n"
                "    context = multiprocessing.get_context(method)\n"
                "    workers = [context.Process(target=target, args=(k,)) for k in range(3)]\n"
                "    [w.start() for w in workers]; [w.join() for w in workers]\n"
                "    assert [w.exitcode for w in workers] == [0] * 3\n"
                "  run.log({'parent': 1})\n"
            )
        done = subprocess.run(
            [sys.executable, path],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(lambda: len(server.all_rows()) == 301, "all rows")
        wait_for(lambda: not self.senders())
        names = sorted(run["name"] for run in server.runs.values())
        self.assertEqual(names, ["parent", "spawned-0", "spawned-1", "spawned-2"])
        (parent,) = [run["id"] for run in server.runs.values() if run["name"] == "parent"]
        self.assertEqual(sorted(len(rows) for (run, _), rows in server.rows.items() if run == parent), [1, 50, 50, 50])
        self.assertEqual(self.spools(), [])

    def test_interruptions_at_any_moment_leave_whole_rows(self):
        """KeyboardInterrupt out of a signal, thousands of times, wherever log() just is."""
        server = self.serve()
        out, err = self.train(
            "run = martlet.init('p')\n"
            "def interrupt(*_): raise KeyboardInterrupt\n"
            "signal.signal(signal.SIGALRM, interrupt)\n"
            "logged, hits, i = [], 0, 0\n"
            "def work():\n"
            "  global i\n"
            "  signal.setitimer(signal.ITIMER_REAL, 0.0005)\n"  # one interruption each time
            "  while True:\n"
            "    i += 1\n"
            "    run.log({'a': i, f'n{i % 300}': 1, **({'text': 'x'} if i % 3 == 0 else {})}, i)\n"
            "    logged.append(i)\n"
            "began = time.monotonic()\n"
            "while (passed := time.monotonic() - began) < 3 or (hits <= 100 and passed < 60):\n"
            "  try: work()\n"
            "  except KeyboardInterrupt: hits += 1\n"
            "run.log({'last': 1}, 10**9)\n"
            "print(json.dumps([hits, run.dropped, logged]))\n"
        )
        hits, dropped, logged = json.loads(out)
        self.assertGreater(hits, 100)
        steps = server.steps()
        self.assertEqual((len(steps), dropped), (len(set(steps)), 0), err)
        self.assertLessEqual(set(logged), set(steps), "what log() returned from is there")
        self.assertEqual(steps[-1], 10**9)
        self.assertEqual(len(server.finishes), 1)


if __name__ == "__main__":
    assert CLIENT
    unittest.main()
