#!/usr/bin/env python3
"""martlet-supervisor, tested with real processes: what docs/supervisor.md promises.

Run: python3 Tests/Supervisor/test_supervisor.py        (about 30 s)
MARTLET_SUPERVISOR names the binary; without it the sources are built with cc into a temporary directory.
MARTLET_STORM_ROUNDS (500) says how many rounds the storm of orphans has.
"""

import concurrent.futures
import fcntl
import json
import os
import pathlib
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "martlet-supervisor"
STORM_ROUNDS = int(os.environ.get("MARTLET_STORM_ROUNDS", "500"))
PYTHON = sys.executable

# Exits with 7 while orphans of its own, made by double forks, come in and end around the same moment.
STORM_SOURCE = """
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **arguments) {
  unsigned random = count > 1 ? atoi(arguments[1]) : 0;
  for (int i = 0; i < 6; i++) {
    if (fork() != 0) continue;
    if (fork() != 0) _exit(0);
    usleep((random = random * 1103515245 + 12345 + i) >> 21);
    _exit(i);
  }
  usleep(random >> 22 & 511);
  return 7;
}
"""

# Prints a line when its handlers stand, then waits; says with its exit code which signal came.
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(42))
print(0, flush=True)
time.sleep(300)
"""


def setUpModule():
    global scratch, supervisor
    scratch = tempfile.TemporaryDirectory(prefix="martlet-supervisor-")
    unittest.addModuleCleanup(scratch.cleanup)
    supervisor = os.environ.get("MARTLET_SUPERVISOR") or build_supervisor(scratch.name)


def build_supervisor(directory, *definitions):
    binary = f"{directory}/martlet-supervisor{''.join(definitions)}"
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", *definitions]
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    subprocess.run([os.environ.get("CC", "cc"), *flags, *sources, "-o", binary], check=True)
    return binary


def wait_for(condition, seconds=60):
    """What `condition` gives once that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s in vain")


def read_text(path):
    with open(path) as file:
        return file.read()


def start_time(pid):
    """Field 22 of /proc/PID/stat, or None when there is no such process."""
    try:
        return int(read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[19])
    except OSError:
        return None


def remove_directory(path):
    """Unless it is gone already."""
    if os.path.isdir(path):
        os.rmdir(path)


def lock_is_free(directory):
    with open(f"{directory}/lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False


class SupervisorTestCase(unittest.TestCase):
    """An attempt's directory of its own for each test, and ways to run a command in it."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(dir=scratch.name)

    def start(self, *command, options=(), **popen):
        return subprocess.Popen([supervisor, *options, self.directory, "--", *command], **popen)

    def run_to_end(self, *command, options=(), **popen):
        process = self.start(*command, options=options, **popen)
        self.assertEqual(process.wait(120), 0)
        self.assertTrue(lock_is_free(self.directory))
        self.assertEqual([name for name in os.listdir(self.directory) if name.endswith(".tmp")], [])
        return self.json("exit.json")

    def run_until_timeout(self, lines, *command, limits=(2, 10, 40), options=()):
        """The end of a command by its time limit, under the first limit that left it the time to print its lines."""
        for limit in limits:
            self.setUp()
            end = self.run_to_end(*command, options=["-t", str(limit), *options])
            if self.read("stdout.log").count(b"\n") >= lines:
                return end
        self.fail(f"the command did not even begin in {limit} s")

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        self.assertEqual(process.wait(60), 0)
        return self.json("exit.json")

    def refused(self, *command, **popen):
        """Exit status and message of a supervisor that starts nothing."""
        process = self.start(*command, stderr=subprocess.PIPE, text=True, **popen)
        message = process.communicate(timeout=60)[1]
        self.assertIn("nothing was started", message)
        return process.returncode, message

    def read(self, name):
        return pathlib.Path(self.directory, name).read_bytes()

    def json(self, name):
        return json.loads(self.read(name))

    def printed_numbers(self, count):
        """The first `count` numbers that the command has printed, one a line."""

        def look():
            log = pathlib.Path(self.directory, "stdout.log")
            lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
            return [int(line) for line in lines[:count]] if len(lines) >= count else None

        return wait_for(look)

    def started_attempt(self):
        """attempt.json once the command is in it."""

        def look():
            try:
                record = self.json("attempt.json")
            except FileNotFoundError:
                return None
            return record if "command" in record else None

        return wait_for(look)

    def assert_gone(self, pids):
        self.assertEqual([pid for pid in pids if start_time(pid) is not None], [])

    def assert_end(self, end, **expected):
        self.assertEqual({key: end[key] for key in expected}, expected)


class Ends(SupervisorTestCase):
    def test_exit_code(self):
        end = self.run_to_end("sh", "-c", "echo out; echo err >&2; exit 7")
        self.assert_end(end, code=7, signal=0, errno=0, reason="exited", killed=False, leftovers=0)
        self.assertEqual((self.read("stdout.log"), self.read("stderr.log")), (b"out\n", b"err\n"))

    def test_signal_is_named(self):
        for number, name in ((signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "SIGKILL"), (40, "signal 40")):
            with self.subTest(name):
                self.setUp()
                end = self.run_to_end("sh", "-c", f"kill -{int(number)} $$")
                self.assert_end(end, code=-1, signal=int(number), reason=name, killed=False)

    def test_missing_program(self):
        end = self.run_to_end("no-such-program", env={"PATH": "/usr/bin:/bin"})
        self.assert_end(end, code=-1, signal=0, errno=2, reason="exec: No such file or directory")
        self.assertNotIn("command", self.json("attempt.json"))

    def test_failures_name_their_step(self):
        for command, options, errno, reason in (
            ("true", ["-C", "/no/such/place"], 2, "chdir: No such file or directory"),
            ("true", ["-G", "/no/such/cgroup"], 2, "cgroup: No such file or directory"),
            ("/etc/passwd", [], 13, "exec: Permission denied"),
        ):
            with self.subTest(reason):
                self.setUp()
                end = self.run_to_end(command, options=options)
                self.assert_end(end, code=-1, errno=errno, reason=reason)

    def test_usage_counts_the_whole_tree(self):
        burn = "import time\nwhile time.process_time() < .3: pass\nb = bytearray(60 << 20)"
        end = self.run_to_end("sh", "-c", f"'{PYTHON}' -c '{burn}'; true")
        self.assertGreater(end["utime"] + end["stime"], 0.25)
        self.assertGreater(end["maxrss_kb"], 60 << 10)
        self.assertGreater(end["wall"], 0.25)
        self.assertGreaterEqual(end["ended_us"] - end["started_us"], end["wall"] * 1e6 - 1000)

    def test_address_space_limit(self):
        end = self.run_to_end(PYTHON, "-c", "bytearray(1 << 30)", options=["-m", "400"])
        self.assertEqual(end["code"], 1)
        self.assertIn(b"MemoryError", self.read("stderr.log"))


class Stopping(SupervisorTestCase):
    """Time limits, stop requests, and what a command leaves behind."""

    def test_timeout_with_a_grandchild_that_ignores_term(self):
        script = 'trap "" TERM; echo $$; (trap "" TERM; sleep 300; sleep 300) & echo $!; wait; wait'
        end = self.run_until_timeout(2, "sh", "-c", script, limits=(0.3, 3, 30), options=["-g", "0.3"])
        self.assert_end(end, signal=9, reason="timed out", killed=True)
        self.assertGreaterEqual(end["wall"], 0.6)
        self.assertLess(end["wall"], 200)
        self.assert_gone(self.printed_numbers(2))

    def test_timeout_that_is_heeded(self):
        end = self.run_until_timeout(1, PYTHON, "-c", POLITE, options=["-g", "60"])
        self.assert_end(end, code=5, reason="timed out", killed=False)

    def test_stop_request(self):
        process = self.start("sh", "-c", "echo $$; sleep 300 & echo $!; wait", options=["-g", "20"])
        pids = self.printed_numbers(2)
        self.assert_end(self.stop(process), signal=15, reason="stopped", killed=False)
        self.assert_gone(pids)

    def test_stop_reaches_the_whole_group_at_once(self):
        # The number is the second program's own: between a shell's fork and the next program, a signal would be lost.
        script = 'trap "echo" TERM; sh -c "echo \\$\\$; exec sleep 300" & wait; wait; exit 9'
        process = self.start("sh", "-c", script, options=["-g", "60"])
        self.printed_numbers(1)
        command = self.started_attempt()["command"]["pid"]
        self.assertEqual((os.getpgid(command), os.getsid(command)), (command, process.pid))
        self.assert_end(self.stop(process), code=9, killed=False)

    def test_stop_reaches_a_stopped_command(self):
        process = self.start(PYTHON, "-c", POLITE, options=["-g", "60"])
        self.printed_numbers(1)
        os.kill(self.started_attempt()["command"]["pid"], signal.SIGSTOP)
        self.assert_end(self.stop(process, signal.SIGINT), code=5, reason="stopped")

    def test_stop_that_is_ignored_ends_in_a_kill(self):
        process = self.start("sh", "-c", 'trap "" TERM; echo $$; while :; do sleep 300; done', options=["-g", "0.3"])
        pids = self.printed_numbers(1)
        self.assert_end(self.stop(process), code=-1, signal=9, reason="stopped", killed=True)
        self.assert_gone(pids)

    def test_command_that_ends_well_on_a_stop_request_was_stopped(self):
        script = 'trap "exit 0" TERM; echo 0; while :; do sleep 0.05; done'
        process = self.start("sh", "-c", script)
        self.printed_numbers(1)
        self.assert_end(self.stop(process), code=0, reason="stopped")

    def test_hang_up_changes_nothing(self):
        process = self.start("sh", "-c", f"echo 0; until test -e '{self.directory}/go'; do sleep 0.02; done; exit 4")
        self.printed_numbers(1)
        process.send_signal(signal.SIGHUP)
        pathlib.Path(self.directory, "go").touch()
        self.assertEqual(process.wait(60), 0)
        self.assert_end(self.json("exit.json"), code=4, reason="exited")

    def test_setsid_grandchildren_end_with_the_command(self):
        script = (
            "setsid sleep 300 & echo $!; (setsid sh -c 'echo $$; sleep 300 & echo $!; wait' &); "
            f"until test $(wc -l < '{self.directory}/stdout.log') = 3; do sleep 0.02; done; exit 3"
        )
        end = self.run_to_end("sh", "-c", script, options=["-g", "20"])
        self.assert_end(end, code=3, reason="exited", killed=False, leftovers=3)
        self.assert_gone(self.printed_numbers(3))

    def test_leftover_has_three_seconds_to_drain(self):
        sender = (
            "import os, signal, sys, time\n"
            "if os.fork(): os._exit(0)\n"
            "os.setsid()\n"
            "def drain(*_):\n"
            "  time.sleep(0.5); print('drained', flush=True); os._exit(0)\n"
            "signal.signal(signal.SIGTERM, drain)\n"
            "open(sys.argv[1], 'w').close()\n"
            "time.sleep(300)\n"
        )
        for _ in range(5):  # one that gets no processor for three seconds is killed
            self.setUp()
            ready = f"{self.directory}/ready"
            script = f"\"$0\" -c \"$1\" '{ready}' && until test -e '{ready}'; do sleep 0.02; done; exit 6"
            end = self.run_to_end("sh", "-c", script, PYTHON, sender, options=["-g", "0.1"])
            if not end["killed"]:
                break
        self.assert_end(end, code=6, reason="exited", killed=False, leftovers=1)
        self.assertEqual(self.read("stdout.log"), b"drained\n")

    def test_stubborn_daemon_is_killed(self):
        daemon = (
            "import os, signal, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "if os.fork(): os.wait(); sys.exit(0)\n"
            "os.setsid()\n"
            "if os.fork(): os._exit(0)\n"
            "os.write(1, b'%d\\n' % os.getpid()); time.sleep(300)"
        )
        end = self.run_to_end(PYTHON, "-c", daemon, options=["-g", "0.3"])
        self.assert_end(end, code=0, reason="exited", killed=True)
        # The daemon had three seconds more before the record was written.
        written = os.stat(f"{self.directory}/exit.json").st_mtime * 1e6
        self.assertGreater(written - end["ended_us"], 1_000_000, "the command's end is not the daemon's")
        self.assert_gone(self.printed_numbers(1))

    def test_output_limit(self):
        end = self.run_to_end("yes", options=["-o", "100000"])
        self.assert_end(end, signal=15, reason="output limit")

    def test_usr1_is_passed_on(self):
        process = self.start(PYTHON, "-c", POLITE)
        self.printed_numbers(1)
        self.assert_end(self.stop(process, signal.SIGUSR1), code=42, reason="exited")

    def test_cgroup_kill(self):
        group = self.make_cgroup()
        script = 'trap "" TERM; echo $$; setsid sh -c "trap \\"\\" TERM; sleep 300" & echo $!; wait; wait'
        process = self.start("sh", "-c", script, options=["-g", "0.2", "-G", group])
        pids = self.printed_numbers(2)
        wait_for(lambda: set(pids) <= {int(pid) for pid in read_text(f"{group}/cgroup.procs").split()})
        self.assert_end(self.stop(process), signal=9, killed=True)
        self.assert_gone(pids)
        self.assertFalse(os.path.exists(group))

    def make_cgroup(self):
        for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            group = f"{root}/martlet-test-{os.getpid()}"
            try:
                os.mkdir(group)
            except OSError:
                continue
            self.addCleanup(remove_directory, group)
            if os.path.exists(f"{group}/cgroup.kill"):
                return group
        self.skipTest("no cgroup v2 with cgroup.kill may be made here")


class AskingByUsr1(SupervisorTestCase):
    """-u: "save what you need and leave" instead of SIGTERM."""

    def test_stop_request(self):
        process = self.start(PYTHON, "-c", POLITE, options=["-u", "-g", "60"])
        self.printed_numbers(1)
        self.assert_end(self.stop(process), code=42, reason="stopped", killed=False)

    def test_stop_reaches_a_stopped_command(self):
        process = self.start(PYTHON, "-c", POLITE, options=["-u", "-g", "60"])
        self.printed_numbers(1)
        os.kill(self.started_attempt()["command"]["pid"], signal.SIGSTOP)
        self.assert_end(self.stop(process), code=42, reason="stopped")

    def test_timeout(self):
        end = self.run_until_timeout(1, PYTHON, "-c", POLITE, options=["-u", "-g", "60"])
        self.assert_end(end, code=42, reason="timed out", killed=False)

    def test_only_the_command_is_asked(self):
        """Its workers go on, so that it can save what they hold."""
        script = (
            "import signal, subprocess, sys, time\n"
            "worker = subprocess.Popen(['sleep', '300'])\n"
            "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(30 if worker.poll() is None else 31))\n"
            "print(worker.pid, flush=True)\n"
            "time.sleep(300)"
        )
        process = self.start(PYTHON, "-c", script, options=["-u", "-g", "60"])
        worker = self.printed_numbers(1)
        self.assert_end(self.stop(process), code=30, reason="stopped", leftovers=1)
        self.assert_gone(worker)

    def test_ignored_request_ends_in_a_kill_of_the_tree(self):
        script = 'trap "" USR1; trap "exit 5" TERM; echo $$; setsid sleep 300 & echo $!; while :; do sleep 0.1; done'
        process = self.start("sh", "-c", script, options=["-u", "-g", "0.3"])
        pids = self.printed_numbers(2)
        self.assert_end(self.stop(process), code=-1, signal=9, reason="stopped", killed=True)
        self.assert_gone(pids)

    def test_output_limit_still_asks_by_term(self):
        end = self.run_to_end("yes", options=["-u", "-o", "100000"])
        self.assert_end(end, signal=15, reason="output limit")


class StartedOnce(SupervisorTestCase):
    def test_revoked(self):
        pathlib.Path(self.directory, "revoked").touch()
        status, message = self.refused("sh", "-c", "echo ran")
        self.assertEqual((status, sorted(os.listdir(self.directory))), (77, ["lock", "revoked"]))
        self.assertIn(self.directory, message)

    def test_second_supervisor_exits(self):
        script = f"echo 1; until test -e '{self.directory}/go'; do sleep 0.02; done"
        first = self.start("sh", "-c", script)
        self.printed_numbers(1)
        self.assertFalse(lock_is_free(self.directory))
        self.assertEqual(self.refused("sh", "-c", "echo 2")[0], 75)
        self.assertIsNone(first.poll())
        pathlib.Path(self.directory, "go").touch()
        self.assertEqual(first.wait(60), 0)
        self.assertEqual(self.refused("sh", "-c", "echo 3")[0], 77)
        self.assertEqual(self.read("stdout.log"), b"1\n")

    def test_a_server_that_asks_for_a_moment_is_waited_for(self):
        for _ in range(10):
            self.setUp()
            began = time.monotonic()
            with open(f"{self.directory}/lock", "a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                process = self.start("true")
                # The supervisor opens the lock file before it tries; only then is there anything to wait for.
                lock = os.path.realpath(file.name)
                wait_for(lambda: lock in open_files(process.pid))  # noqa: B023
            held = time.monotonic() - began
            status = process.wait(60)
            if status == 0 or held < 1:  # else this test may have held the lock for longer than it is waited for
                break
        self.assertEqual(status, 0)

    def test_killed_supervisor_leaves_a_free_lock_and_a_record(self):
        process = self.start("sleep", "300")
        record = self.started_attempt()
        self.assertEqual(record["boot_id"], read_text("/proc/sys/kernel/random/boot_id").strip())
        self.assertEqual(record["supervisor"], {"pid": process.pid, "start": start_time(process.pid)})
        self.assertFalse(lock_is_free(self.directory))
        process.kill()
        process.wait()
        command = record["command"]
        self.addCleanup(os.kill, command["pid"], signal.SIGKILL)
        wait_for(lambda: lock_is_free(self.directory))
        self.assertEqual(start_time(command["pid"]), command["start"])
        self.assertFalse(os.path.exists(f"{self.directory}/exit.json"))
        self.assertEqual(self.refused("true")[0], 77)

    def test_record_names_the_command_before_it_runs(self):
        end = self.run_to_end("sh", "-c", 'echo $$; cat "$0"', f"{self.directory}/attempt.json")
        self.assertEqual(end["code"], 0)
        pid, record = self.read("stdout.log").decode().split("\n", 1)
        self.assertEqual(json.loads(record)["command"]["pid"], int(pid))

    def test_supervisor_killed_at_any_moment_leaves_no_unknown_command(self):
        """Lock free and no command in attempt.json: none was started, and none ever will be."""
        chance = random.Random(7)
        usual = self.time_to_record()  # from there on half of the kills come too early, whatever the machine does
        started = 0
        for round_number in range(150):
            self.setUp()
            mark = f"MARTLET_TEST_ROUND={os.getpid()}.{round_number}"
            process = self.start("sleep", "300", env={**os.environ, **dict([mark.split("=")])})
            time.sleep(chance.uniform(0, 2 * usual))  # the moment, not a wait for anything
            process.kill()
            process.wait()
            usual *= 1.1  # taken back below where the command had started
            if not os.path.exists(f"{self.directory}/lock"):
                continue
            wait_for(lambda: lock_is_free(self.directory))
            known = []
            if os.path.exists(f"{self.directory}/attempt.json") and "command" in self.json("attempt.json"):
                known = [self.json("attempt.json")["command"]["pid"]]
                started += 1
                usual /= 1.1**2
            unknown = set(pids_with("environ", mark)) - set(known)
            for pid in {*known, *unknown}:
                os.kill(pid, signal.SIGKILL)
            self.assertEqual(unknown, set(), f"round {round_number}")
        self.assertTrue(0 < started < 150, f"{started} of 150 had started: the moments do not straddle the start")

    def time_to_record(self):
        """Seconds from start to the command's entry in attempt.json: the median of five."""
        times = []
        for _ in range(5):
            self.setUp()
            began = time.monotonic()
            process = self.start("sleep", "300")
            self.started_attempt()
            times.append(time.monotonic() - began)
            self.stop(process)
        return sorted(times)[2]


def open_files(pid):
    """Paths of what a process holds open."""
    try:
        return [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:  # it, or one of them, is gone already
        return []


def pids_with(file_name, entry):
    """Processes whose /proc/PID/file_name, a list of strings, holds this one."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/{file_name}", "rb") as file:
                if entry.encode() in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


class Surroundings(SupervisorTestCase):
    """The command line, what is kept from the parent, and what the command sees."""

    def test_wrong_usage(self):
        for arguments, words in (
            ([], "directory is missing"),
            ([self.directory], "command is missing"),
            ([self.directory, "--"], "command is missing"),
            (["-t", "soon", self.directory, "--", "true"], "'soon'"),
            (["-g", "-1", self.directory, "--", "true"], "'-1'"),
            (["-o", "nan", self.directory, "--", "true"], "'nan'"),
            (["-x", self.directory, "--", "true"], "no option -x"),
            (["-C"], "-C needs a value"),
        ):
            with self.subTest(words):
                result = subprocess.run([supervisor, *arguments], capture_output=True, text=True, timeout=60)
                self.assertEqual(result.returncode, 64)
                self.assertIn(words, result.stderr)
                self.assertEqual(os.listdir(self.directory), [])

    def test_directory_that_cannot_be_written(self):
        self.directory = "/no/such/place"
        status, message = self.refused("true")
        self.assertEqual(status, 73)
        self.assertIn("/no/such/place: No such file or directory", message)
        self.directory = "/proc/self"
        self.assertEqual(self.refused("true")[0], 73)

    def test_environment_and_working_directory(self):
        here = tempfile.mkdtemp(dir=scratch.name)
        environment = {"PATH": os.environ["PATH"], "MARTLET_PARAMS": "with = and\nnewline", "EMPTY": ""}
        code = "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"
        self.run_to_end(PYTHON, "-c", code, options=["-C", here], env=environment)
        seen, directory = json.loads(self.read("stdout.log"))
        seen.pop("LC_CTYPE", None)  # Python's own
        self.assertEqual((seen, directory), (environment, here))

    def test_descriptors_and_signals_are_clean(self):
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        code = (
            "import os, time\n"
            "status = [line for line in open('/proc/self/status') if line[:6] in ('SigBlk', 'SigIgn')]\n"
            "print(sorted(os.listdir('/proc/self/fd')), status, flush=True)\n"
            f"while not os.path.exists('{self.directory}/go'): time.sleep(.01)\n"
            "os._exit(6)"
        )
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            process = self.start(PYTHON, "-c", code, close_fds=False)
        finally:
            signal.signal(signal.SIGCHLD, before)
        os.close(writing)
        self.started_attempt()
        self.assertEqual(select.select([reading], [], [], 60)[0], [reading], "someone holds the writing end")
        self.assertEqual(os.read(reading, 1), b"")
        os.close(reading)
        pathlib.Path(self.directory, "go").touch()
        self.assertEqual(process.wait(60), 0)
        self.assert_end(self.json("exit.json"), code=6)  # an inherited SIG_IGN for SIGCHLD loses no status
        descriptors, status = self.read("stdout.log").decode().split("]", 1)
        self.assertEqual(descriptors, "['0', '1', '2', '3'")  # 3 is the listing itself
        blocked, ignored = (int(mask, 16) for mask in re.findall(r"\\t(\w+)", status))
        # Python's own: SIGPIPE, SIGXFSZ; 32 and 33 are libc's.
        self.assertEqual((blocked, ignored & 0x7FFFFFFF), (0, 0x01001000))

    def test_closed_standard_descriptors(self):
        script = f"exec '{supervisor}' '{self.directory}' -- sh -c 'echo fine' <&- >&- 2>&-"
        self.assertEqual(subprocess.run(["sh", "-c", script], timeout=60).returncode, 0)
        self.assertEqual(self.read("stdout.log"), b"fine\n")

    def test_strings_are_escaped(self):
        name = b'od"d\\na\nme\x01\x7f \xc3\xa9 \xf0\x9f\x90\xa6 \xff\xc3 \xed\xa0\x80 \xc0\xaf'
        # A PATH of our own: a directory in it that may not be searched would be another errno.
        end = self.run_to_end(name, env={"PATH": "/usr/bin:/bin"})
        self.assert_end(end, errno=2, reason="exec: No such file or directory")
        raw = self.read("attempt.json")
        self.assertEqual(json.loads(raw)["program"], 'od"d\\na\nme\x01\x7f é 🐦 �� ��� ��')
        raw.decode("utf-8", "strict")
        self.assertEqual([byte for byte in raw if byte < 0x20 or byte == 0x7F], [0x0A])

    def test_long_program_name(self):
        self.run_to_end("\x01" * 60_000)
        self.assertEqual(self.json("attempt.json")["program"], "\x01" * 60_000)

    def test_records_are_private(self):
        self.run_to_end("true")
        modes = {name: os.stat(f"{self.directory}/{name}").st_mode & 0o777 for name in os.listdir(self.directory)}
        names = ("attempt.json", "exit.json", "lock", "stderr.log", "stdout.log")
        self.assertEqual(modes, dict.fromkeys(names, 0o600))

    def test_index_comes_with_the_first_output(self):
        self.run_to_end("echo", "word")
        self.assertEqual(os.stat(f"{self.directory}/log.idx").st_mode & 0o777, 0o600)
        self.assertEqual(len(self.read("log.idx")), 17)


class Logs(SupervisorTestCase):
    def index(self):
        raw = self.read("log.idx")
        self.assertEqual(len(raw) % 17, 0)
        return list(struct.iter_unpack("<qBQ", raw))

    def test_index_gives_each_line_its_time(self):
        latest = 0.0
        for pause in (0.12, 0.12, 0.5, 0.5, 1):  # a supervisor that gets no processor looks at the logs seldom
            self.setUp()
            records, latest = self.timed_lines(pause)
            if len(records) >= 4 and latest < 2:
                break
        self.assertGreaterEqual(len(records), 4)
        self.assertLess(latest, 2)

    def timed_lines(self, pause):
        """The index of a command that prints the time at such a pace, and by how many seconds it is late at most."""
        code = (
            "import os, time\n"
            "for i in range(12):\n"
            f"  os.write(1 + i % 2, b'%d %f\\n' % (i, time.time())); time.sleep({pause})\n"
            "os.write(1, b'end %f\\n' % time.time())"
        )
        self.run_to_end(PYTHON, "-c", code)
        records, latest = self.index(), 0.0
        self.assertEqual([record[0] for record in records], sorted(record[0] for record in records))
        for stream, name in ((1, "stdout.log"), (2, "stderr.log")):
            text = self.read(name)
            sizes = [(time_us, size) for time_us, number, size in records if number == stream]
            self.assertEqual(sizes[-1][1], len(text))
            position = 0
            for line in text.splitlines(keepends=True):
                position += len(line)
                time_us = next(time_us for time_us, size in sizes if size >= position)
                late = time_us / 1e6 - float(line.split()[1])
                self.assertGreater(late, -0.001, line)
                latest = max(latest, late)
        return records, latest

    def test_index_of_a_long_run_stays_small(self):
        rare = build_supervisor(scratch.name, "-DOFTEN_RECORDS=3")
        code = "import time\nfor i in range(40): print(i, flush=True); time.sleep(.05)"
        process = subprocess.Popen([rare, self.directory, "--", PYTHON, "-c", code])
        self.assertEqual(process.wait(120), 0)
        times, sizes = [], []
        for time_us, stream, size in self.index():
            self.assertEqual(stream, 1)
            times.append(time_us)
            sizes.append(size)
        self.assertEqual(sizes, sorted(set(sizes)))
        # The last one is of the command's end, whenever that was.
        self.assertEqual(sizes[-1], len(self.read("stdout.log")))
        # Three as they come, three a second later each, then one in ten seconds.
        pauses = [b - a for a, b in zip(times[2:-1], times[3:-1])]
        for pause in pauses[:3]:
            self.assertGreater(pause, 900_000)
        for pause in pauses[3:]:
            self.assertGreater(pause, 9_000_000)

    def test_100_000_lines_arrive_whole(self):
        code = "for i in range(100_000): print(f'line {i} of the log', flush=i % 1000 == 0)"
        self.assert_end(self.run_to_end(PYTHON, "-c", code), code=0, reason="exited")
        expected = b"".join(b"line %d of the log\n" % i for i in range(100_000))
        self.assertEqual(self.read("stdout.log"), expected)
        self.assertEqual(self.index()[-1][1:], (1, len(expected)))

    def test_lines_arrive_whole_when_the_supervisor_dies(self):
        code = "import time\nprint(0, flush=True)\nfor i in range(1, 100): print(i, flush=True); time.sleep(.005)"
        process = self.start(PYTHON, "-c", code)
        self.printed_numbers(1)
        process.kill()
        process.wait()
        self.assertEqual(self.printed_numbers(100), list(range(100)))

    def test_full_disk_keeps_the_outcome(self):
        """The directory is a 40 KB tmpfs of its own which the command fills; room is made later."""
        mount = f"mount -t tmpfs -o size=40k none '{self.directory}'"
        if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True).returncode != 0:
            self.skipTest("may not mount here")
        done = f"{tempfile.mkdtemp(dir=scratch.name)}/done"
        command = f"head -c 200k /dev/zero; echo gone >&2; : > {done}; exit 4"
        script = (
            f"{mount} || exit 97; '{supervisor}' '{self.directory}' -- sh -c '{command}' & "
            f"until test -e {done}; do sleep 0.05; done; sleep 1; "
            f"test -s '{self.directory}/exit.json' && exit 98; "
            f": > '{self.directory}/stdout.log'; wait; cat '{self.directory}/exit.json'"
        )
        result = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, timeout=120)
        self.assertEqual(result.returncode, 0)
        self.assert_end(json.loads(result.stdout), code=4, reason="exited")


class Storm(unittest.TestCase):
    def test_no_status_is_lost_among_orphans(self):
        storm = f"{scratch.name}/storm"
        compiler = [os.environ.get("CC", "cc"), "-O2", "-x", "c", "-", "-o", storm]
        subprocess.run(compiler, input=STORM_SOURCE.encode(), check=True)
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else scratch.name

        with tempfile.TemporaryDirectory(dir=memory) as base, concurrent.futures.ThreadPoolExecutor(8) as pool:

            def attempt(number):
                directory = f"{base}/{number}"
                os.mkdir(directory)
                command = [supervisor, "-g", "20", directory, "--", storm, str(number)]
                subprocess.run(command, timeout=120, check=True)
                end = json.loads(read_text(f"{directory}/exit.json"))
                return end["code"], end["killed"]

            ends = set(pool.map(attempt, range(STORM_ROUNDS)))
        self.assertEqual(ends, {(7, False)})
        self.assertEqual(pids_with("cmdline", storm), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
