"""What a run takes besides rows: alerts, files, what it ran in and what its machine did."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

from support import PATIENCE, ClientTest, wait_for


class Beside(ClientTest):
    def write(self, name, content="x"):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)
        return path

    def files(self, server, run="run00000"):
        """The files of the run, with their bytes."""
        with server.lock:
            return {name: server.blobs[(run, file["sha256"])] for name, file in server.files.get(run, {}).items()}

    def sync(self):
        command = [sys.executable, "-m", "martlet", "sync"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def nothing_is_left(self):
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])


class AlertTest(Beside):
    def test_alerts_arrive_once_and_one_of_a_title_in_a_while(self):
        server = self.serve()
        turns = iter(range(10**9))
        server.fault = lambda method, path: "cut" if "/alerts" in path and next(turns) % 2 == 0 else None
        _, err = self.train(
            "run = martlet.init('p')\n"
            "assert run.alert('diverged', 'loss is nan', 'ERROR') is True\n"
            "assert run.alert('diverged', 'again') is False\n"
            "assert martlet.alert('diverged', 'later', level='warn', wait_duration=0) is False\n"
            "assert run.alert('other', wait_duration=0) and run.alert('other', wait_duration=0)\n"
            "assert run.alert('', 'x') is False and run.alert('x', level='loud') is False\n"
            "run.finish(); assert run.alert('late') is False\n"
        )
        told = [{key: value for key, value in alert.items() if key != "key"} for _, alert in server.alerts]
        self.assertEqual(
            told,
            [
                {"title": "diverged", "text": "loss is nan", "level": "error"},
                {"title": "other", "level": "info"},
                {"title": "other", "level": "info"},
            ],
        )
        self.assertEqual(err.count("the alert is lost"), 2)
        self.nothing_is_left()


class SaveTest(Beside):
    def test_files_are_kept_as_they_are_now(self):
        server = self.serve()
        self.write("out/a.txt", "first")
        self.write("out/deep/b.txt", "b")
        self.write("note.md", "n")
        _, err = self.train(
            "run = martlet.init('p')\n"
            "assert run.save('out/*.txt') == ['out/a.txt']\n"
            "open('out/a.txt', 'w').write('changed')\n"
            "assert run.save('out', base='out') == ['a.txt', 'deep/b.txt']\n"
            "assert run.save(os.path.abspath('note.md')) == ['note.md']\n"
            "assert run.save(os.path.abspath('out') + '/**/*.txt') == ['a.txt', 'deep/b.txt']\n"
            "assert run.save(['note.md', 3, 'out/**/b.txt']) == ['note.md', 'out/deep/b.txt']\n"
            "assert run.save('nothing/*') == [] and run.save('note.md', policy='soon') == []\n"
            "assert run.save('note.md', base='out') == []\n"
        )
        expected = {
            "out/a.txt": b"first",
            "out/deep/b.txt": b"b",
            "a.txt": b"changed",
            "deep/b.txt": b"b",
            "note.md": b"n",
        }
        self.assertEqual(self.files(server), expected)
        self.assertIn("there is no file", err)
        self.assertIn("policy is one of now, end, live, not 'soon'", err)
        self.assertIn("does not lie in", err)
        self.nothing_is_left()

    def test_files_are_kept_at_the_end_also_of_a_program_that_is_killed(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\nassert run.save('late/*', policy='end') == []\n"
            "os.mkdir('late'); open('late/x', 'w').write('1')\nos.kill(os.getpid(), 9)",
            expect=-9,
        )
        wait_for(lambda: not self.senders())
        self.assertEqual(self.files(server), {"late/x": b"1"})
        self.nothing_is_left()

    def test_files_that_change_are_kept_again(self):
        server = self.serve()
        process = self.start(
            "import martlet._observer\nrun = martlet.init('p')\n"
            "open('live.txt', 'w').write('1'); run.save('live.txt', policy='live')\n"
            "sys.stdin.readline(); open('live.txt', 'w').write('22')",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: self.files(server) == {"live.txt": b"1"})
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(self.files(server), {"live.txt": b"22"})
        self.assertEqual(server.count("PUT", r".*/files\?.*"), 2)

    def test_offline_they_are_kept_and_sent_later(self):
        self.train(
            "run = martlet.init('p', mode='offline')\nopen('a', 'w').write('1'); open('b', 'w').write('1')\n"
            "run.save('a'); run.save('b', policy='end')\nopen('a', 'w').write('2'); open('b', 'w').write('2')"
        )
        wait_for(lambda: not self.senders("_keeper.py"))
        os.unlink(os.path.join(self.home, "b"))
        server = self.serve()
        self.assertIn("2 files", self.sync())
        self.assertEqual(self.files(server), {"a": b"1", "b": b"2"})
        self.nothing_is_left()

    def test_where_the_keeper_was_killed_sync_looks_itself(self):
        self.environment["MARTLET_CAPTURE"] = "packages"
        process = self.start(
            "run = martlet.init('p', mode='offline')\nrun.save('late', policy='end'); print(flush=True)\n"
            "sys.stdin.readline(); open('late', 'w').write('1')",
            stdin=subprocess.PIPE,
        )
        process.stdout.readline()
        wait_for(lambda: self.senders("_keeper.py"))
        for keeper in self.senders("_keeper.py"):
            os.kill(keeper, signal.SIGKILL)
        process.communicate("\n", timeout=2 * PATIENCE)
        server = self.serve()
        self.sync()
        self.assertEqual(sorted(self.files(server)), ["late", "requirements.txt"])
        self.nothing_is_left()

    def test_what_the_server_refuses_is_said(self):
        server = self.serve()
        server.fault = lambda method, path: 422 if "/files?" in path else None
        self.write("a")
        _, err = self.train("run = martlet.init('p')\nrun.save('a')\nrun.log({'a': 1})")
        self.assertIn("answered 422 to PUT /runs/run00000/files?path=a", err)
        self.assertEqual(server.steps(), [0])


class CaptureTest(Beside):
    def setUp(self):
        super().setUp()
        del self.environment["MARTLET_CAPTURE"]
        git = ["git", "-C", self.home, "-c", "user.name=a", "-c", "user.email=a@b"]
        with open(os.path.join(self.home, "tracked.txt"), "w") as file:
            file.write("one\n")
        for command in (["init", "-q"], ["add", "tracked.txt"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *command], check=True)
        self.write("tracked.txt", "two\n")
        self.write("new.py")
        self.environment.update(HF_TOKEN="hf_x", EDITOR="vi", MIRROR="https://me:pw@example.org", ODD="a\udc80b")

    def test_what_a_run_ran_in_is_kept_without_secrets(self):
        server = self.serve()
        process = self.start("martlet.init('p')\nsys.stdin.readline()", "--api-key=abc", stdin=subprocess.PIPE)
        wait_for(lambda: "untracked.txt" in self.files(server))
        process.communicate("\n", timeout=2 * PATIENCE)
        found = self.files(server)
        self.assertIn(b"-one\n+two\n", found["diff.patch"])
        self.assertIn(b"new.py\n", found["untracked.txt"])
        requirements = found["requirements.txt"].decode().splitlines()
        self.assertTrue(any(line.startswith(("pip==", "setuptools==", "martlet==")) for line in requirements))
        kept = server.runs["run00000"]["environment"]
        self.assertEqual(kept["python"]["version"], ".".join(map(str, sys.version_info[:3])))
        self.assertEqual((kept["argv"][-1], kept["cwd"]), ("--api-key=***", os.path.realpath(self.home)))
        self.assertEqual(server.runs["run00000"]["command"][-1], "--api-key=***")
        self.assertEqual(kept["variables"]["EDITOR"], "vi")
        self.assertEqual({"HF_TOKEN", "MIRROR", "MARTLET_TOKEN"} & kept["variables"].keys(), set())
        self.assertGreater(kept["memory_bytes"], 1 << 20)
        self.assertGreaterEqual(kept["cpu"]["threads"], 1)
        self.assertTrue(kept["os"] and kept["kernel"] and kept["cpu"]["model"])
        self.assertEqual(server.runs["run00000"]["git"]["dirty"], True)
        self.assertNotIn(b"hf_x", json.dumps(server.runs["run00000"]).encode())
        self.nothing_is_left()

    def test_a_large_environment_arrives(self):
        self.environment.update({f"SETTING_{i}": "a b " * 1000 for i in range(100)}, MARTLET_CAPTURE="environment")
        server = self.serve()
        self.train("martlet.init('p')")
        self.assertEqual(len(server.runs["run00000"]["environment"]["variables"]["SETTING_7"]), 4000)
        self.nothing_is_left()

    def test_offline_it_is_looked_up_at_once(self):
        self.train("martlet.init('p', mode='offline')")
        wait_for(lambda: not self.senders("_keeper.py"))
        self.write("tracked.txt", "three\n")
        server = self.serve()
        self.sync()
        self.assertIn(b"+two\n", self.files(server)["diff.patch"])
        self.nothing_is_left()

    def test_parts_can_be_chosen(self):
        server = self.serve()
        self.train("martlet.init('p', capture='off')")
        self.assertEqual((server.files, "git" in server.runs["run00000"]), ({}, False))
        self.environment["MARTLET_CAPTURE"] = "packages"
        self.train("martlet.init('p')")
        self.assertEqual(list(self.files(server, "run00001")), ["requirements.txt"])
        _, err = self.train("martlet.init('p', capture='all,of,it')", expect=1)
        self.assertIn("not 'all'", err)

    def test_an_attempts_machine_is_the_servers_to_tell(self):
        server = self.serve()
        self.attempt(server)
        process = self.start("martlet.init()\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(lambda: self.files(server, "k2f9a0xy"))
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(list(self.files(server, "k2f9a0xy")), ["requirements.txt"])
        self.assertEqual(list(server.runs["k2f9a0xy"]["environment"]), ["python"])

    def test_a_large_difference_is_cut_and_says_so(self):
        self.write("tracked.txt", "line\n" * 2_200_000)
        server = self.serve()
        process = self.start("martlet.init('p', capture='diff')\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(lambda: "diff.patch" in self.files(server))
        process.communicate("\n", timeout=2 * PATIENCE)
        patch = self.files(server)["diff.patch"]
        self.assertTrue(patch.startswith(b"# cut") and patch.endswith(b"line\n"))
        self.assertLess(len(patch), (10 << 20) + 100)

    def test_a_remote_that_is_no_address_keeps_nothing_else_back(self):
        subprocess.run(["git", "-C", self.home, "remote", "add", "origin", "https://[bad/x"], check=True)
        server = self.serve()
        process = self.start("martlet.init('p')\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(lambda: "untracked.txt" in self.files(server))
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertIsNone(server.runs["run00000"]["git"]["remote"])

    def test_conda_is_told_where_there_is_one(self):
        self.write("conda/conda-meta/python-3.11.5-h1_0.json")
        self.write("conda/conda-meta/history")
        self.environment.update(CONDA_PREFIX=os.path.join(self.home, "conda"), MARTLET_CAPTURE="packages")
        server = self.serve()
        self.train("martlet.init('p')")
        self.assertEqual(self.files(server)["conda.yaml"], b'name: "conda"\ndependencies:\n  - python=3.11.5=h1_0\n')


class SystemTest(Beside):
    SMI = """#!/bin/sh
case "$1" in
*driver_version*) echo "GPU-a, 0, NVIDIA H100, 81559, 550.54"; echo "GPU-b, 1, NVIDIA H100, 81559, 550.54" ;;
*) echo "GPU-a, 0, 97, 1024, 81559, 61, 350.25"; echo "GPU-b, 1, 3, 0, 81559, [N/A], [N/A]" ;;
esac
"""

    def setUp(self):
        super().setUp()
        self.environment.update(MARTLET_CAPTURE="environment,system", MARTLET_SAMPLE_EVERY="0.2")
        os.chmod(self.write("bin/nvidia-smi", self.SMI), 0o755)
        self.environment["PATH"] = os.path.join(self.home, "bin") + os.pathsep + self.environment["PATH"]

    def samples(self, server):
        with server.lock:
            return [row for rows in server.system.values() for row in rows]

    def test_the_machine_the_programs_processes_and_gpus_are_sampled(self):
        server = self.serve()
        process = self.start(
            "import subprocess\nmartlet.init('p')\n"
            "child = subprocess.Popen([sys.executable, '-c', 'a = bytearray(50_000_000)\\nwhile True: pass'])\n"
            "sys.stdin.readline(); child.kill()",
            stdin=subprocess.PIPE,
        )

        def busy():
            return any(row["values"].get("process/cpu", 0) > 5 for row in self.samples(server))

        wait_for(busy, "a sample of the child's work")
        process.communicate("\n", timeout=2 * PATIENCE)
        row = next(row for row in self.samples(server) if row["values"].get("process/cpu", 0) > 5)
        values = row["values"]
        self.assertLess(abs(row["time"] / 1e6 - time.time()), 600)
        self.assertEqual(row["step"], row["time"] // 1000)
        self.assertTrue(0 <= values["cpu"] <= 100 and 0 < values["memory"] < 100)
        self.assertGreater(values["process/memory"], 10_000_000)
        self.assertGreaterEqual(values["process/threads"], 2)
        self.assertTrue(any(name.startswith("disk/") and name.endswith("/used") for name in values))
        rates = {"disk/read", "disk/write", "network/sent", "network/received", "memory/used"}
        self.assertLessEqual(rates, values.keys())
        gpus = {name: value for name, value in values.items() if name.startswith("gpu.")}
        self.assertEqual(gpus["gpu.0/utilization"], 97)
        self.assertEqual(gpus["gpu.0/memory"], 1 << 30)
        self.assertEqual((gpus["gpu.0/temperature"], gpus["gpu.0/power"]), (61, 350.25))
        self.assertEqual({name for name in gpus if "gpu.1" in name and ("power" in name or "temp" in name)}, set())
        self.assertEqual([row["seq"] for row in self.samples(server)], list(range(len(self.samples(server)))))
        gpu = {"name": "NVIDIA H100", "memory_bytes": 81559 << 20, "driver": "550.54"}
        self.assertEqual(server.runs["run00000"]["environment"]["gpus"], [gpu, gpu])
        self.nothing_is_left()

    def test_only_the_programs_own_gpus_are_told(self):
        self.environment["CUDA_VISIBLE_DEVICES"] = "1"
        server = self.serve()
        process = self.start("martlet.init('p')\nsys.stdin.readline()", stdin=subprocess.PIPE)
        wait_for(lambda: self.samples(server))
        process.communicate("\n", timeout=2 * PATIENCE)
        names = {name.split("/")[0] for row in self.samples(server) for name in row["values"]}
        self.assertIn("gpu.1", names)
        self.assertNotIn("gpu.0", names)

    def test_samples_are_kept_while_nobody_answers_and_offline(self):
        server = self.serve()
        process = self.start("martlet.init('p', mode='offline')\ntime.sleep(300)")

        def written():
            seen = [path.replace(".spool", ".seen") for path in self.spools()]
            if not seen or not os.path.exists(seen[0]):
                return False
            with open(seen[0]) as file:
                return file.read().count('"sample"') > 3

        wait_for(written)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not self.senders("_keeper.py"))
        self.sync()
        self.assertGreater(len(self.samples(server)), 3)
        self.nothing_is_left()

    def test_a_killed_sender_is_followed_by_one_that_goes_on_counting(self):
        server = self.serve()
        process = self.start(
            "run = martlet.init('p')\nthreading.Thread(target=sys.stdin.readline).start()\n"
            "while threading.active_count() > 1: run.log({'a': 1}); time.sleep(0.05)",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: len(self.samples(server)) > 2)
        (sender,) = self.senders()
        os.kill(sender, signal.SIGKILL)
        known = len(self.samples(server))
        wait_for(lambda: len(self.samples(server)) > known + 2)
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual([row["seq"] for row in self.samples(server)], list(range(len(self.samples(server)))))

    def test_it_can_be_turned_off(self):
        self.environment["MARTLET_SAMPLE_EVERY"] = "0"
        server = self.serve()
        self.train("martlet.init('p'); time.sleep(0.5)")
        self.assertEqual(server.system, {})


if __name__ == "__main__":
    unittest.main()
