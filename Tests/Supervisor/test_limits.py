#!/usr/bin/env python3
"""martlet-supervisor and limits: memory, output, time, open files, CPUs, in each way in which they can be kept.

Run: python3 Tests/Supervisor/test_limits.py        (about 15 s)
Cases of control groups are skipped, with the reason, where this account may make none.
"""

import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import unittest

import test_supervisor as base
from test_supervisor import POLITE, PYTHON, SupervisorTestCase, read_text, start_time, wait_for

MIB = 1 << 20

# Takes memory in steps of 8 MiB until `most` MiB are there, then waits.
HOG = """
import sys, time
held = []
for _ in range(int(sys.argv[1]) // 8):
    held.append(b"x" * (8 << 20))
    time.sleep(0.005)
print(0, flush=True)
time.sleep(300)
"""


def setUpModule():
    base.setUpModule()


def own_group(controller):
    """The directory of this process's group in the hierarchy of version 1 that has `controller`, or None."""
    for line in read_text("/proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if controller not in names.split(","):
            continue
        for mount in read_text("/proc/self/mountinfo").splitlines():
            front, back = mount.split(" - ")
            if back.split()[0] == "cgroup" and controller in back.split()[-1].split(","):
                point = front.split()[4]
                return point + path if os.path.isdir(point + path) else point
    return None


class LimitsTestCase(SupervisorTestCase):
    def make_group(self, controller):
        """A group of version 1, which nobody but the supervisor has to remove."""
        parent = own_group(controller)
        if parent is None:
            self.skipTest(f"no hierarchy of version 1 with {controller} here")
        group = f"{parent}/martlet-test-{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            self.skipTest(f"no group may be made in {parent}: {error}")
        self.addCleanup(base.remove_directory, group)
        return group

    def memory_group(self, limit):
        group = self.make_group("memory")
        try:
            pathlib.Path(group, "memory.limit_in_bytes").write_text(str(limit))
        except OSError as error:
            self.skipTest(f"no limit may be set in {group}: {error}")
        swap = pathlib.Path(group, "memory.memsw.limit_in_bytes")
        if swap.exists():
            swap.write_text(str(limit))
        return group


class MemoryByLooking(LimitsTestCase):
    """-M: the supervisor looks at what its tree holds."""

    def test_hog(self):
        end = self.run_to_end(PYTHON, "-c", HOG, "4000", options=["-M", str(200 * MIB), "-g", "60"])
        self.assert_end(end, code=-1, signal=9, reason="memory limit", limit="memory", killed=True, oom_kills=0)
        self.assertGreater(end["peak_bytes"], 200 * MIB)
        self.assertNotIn(b"0\n", self.read("stdout.log"), "it was not asked, and not waited for")

    def test_the_whole_tree_counts_wherever_it_went(self):
        script = '"$0" -c "$1" 120 "$2" & setsid "$0" -c "$1" 120 "$2" & echo $$; wait; wait'
        mark = f"{self.directory}/mark"
        end = self.run_to_end("sh", "-c", script, PYTHON, HOG, mark, options=["-M", str(200 * MIB), "-g", "60"])
        self.assert_end(end, signal=9, reason="memory limit", limit="memory", killed=True)
        self.assert_gone(self.printed_numbers(1))
        self.assertEqual(base.pids_with("cmdline", mark), [])

    def test_what_forked_workers_share_counts_once(self):
        """Six processes that hold the same 60 MiB, for as long as it takes until the supervisor has looked at them."""
        code = (
            "import os, sys, time\n"
            "held = bytearray(60 << 20)\n"
            "for _ in range(5):\n"
            "  if os.fork() == 0: time.sleep(float(sys.argv[1])); os._exit(0)\n"
            "for _ in range(5): os.wait()"
        )
        for seconds in ("1", "4", "20"):
            self.setUp()
            end = self.run_to_end(PYTHON, "-c", code, seconds, options=["-M", str(200 * MIB)])
            self.assert_end(end, code=0, reason="exited", limit=None)
            if end["peak_bytes"] > 60 * MIB:
                break
        self.assertTrue(60 * MIB < end["peak_bytes"] < 200 * MIB, end["peak_bytes"])

    def test_within_the_limit(self):
        code = "held = b'x' * (50 << 20)"
        end = self.run_to_end(PYTHON, "-c", code, options=["-M", str(200 * MIB)])
        self.assert_end(end, code=0, reason="exited", limit=None)
        self.assertTrue(50 * MIB < end["peak_bytes"] < 200 * MIB, end["peak_bytes"])

    def test_peak_of_several_processes_without_a_limit(self):
        code = "import sys, time; held = b'x' * (60 << 20); time.sleep(float(sys.argv[1]))"
        for seconds in ("1.5", "6", "30"):  # it looks once a second, when it gets a processor
            self.setUp()
            end = self.run_to_end("sh", "-c", '"$0" -c "$1" $2 & "$0" -c "$1" $2; wait', PYTHON, code, seconds)
            self.assert_end(end, code=0, limit=None)
            if end["peak_bytes"] > 120 * MIB:
                break
        self.assertTrue(120 * MIB < end["peak_bytes"] < 300 * MIB, end["peak_bytes"])

    def test_a_stop_that_ends_in_a_hog_was_a_stop(self):
        script = (
            "import signal, sys, time\n"
            "def hog(*_):\n"
            "  held = []\n"
            "  while True: held.append(b'x' * (8 << 20))\n"
            "signal.signal(signal.SIGTERM, hog)\n"
            "print(0, flush=True)\n"
            "time.sleep(300)"
        )
        process = self.start(PYTHON, "-c", script, options=["-M", str(200 * MIB), "-g", "60"])
        self.printed_numbers(1)
        self.assert_end(self.stop(process), signal=9, reason="stopped", limit=None, killed=True)


class MemoryByGroup(LimitsTestCase):
    """-G: the kernel keeps it, and tells what it did."""

    def test_hog(self):
        group = self.memory_group(100 * MIB)
        end = self.run_to_end(PYTHON, "-c", HOG, "4000", options=["-G", group, "-g", "60"])
        self.assert_end(end, code=-1, signal=9, reason="memory limit", limit="memory")
        self.assertGreaterEqual(end["oom_kills"], 1)
        self.assertTrue(90 * MIB < end["peak_bytes"] <= 101 * MIB, end["peak_bytes"])
        self.assertFalse(os.path.exists(group))

    def test_a_worker_that_is_killed_ends_the_whole(self):
        """The kernel takes one process; the others would wait for it for ever."""
        group = self.memory_group(100 * MIB)
        script = 'echo $$; setsid "$0" -c "$1" 4000 & wait; while :; do sleep 300; done'
        end = self.run_to_end("sh", "-c", script, PYTHON, HOG, options=["-G", group, "-g", "60"])
        self.assert_end(end, signal=9, reason="memory limit", limit="memory", killed=True)
        self.assert_gone(self.printed_numbers(1))
        self.assertFalse(os.path.exists(group))

    def test_a_worker_that_is_killed_is_the_reason_of_a_failure(self):
        group = self.memory_group(100 * MIB)
        end = self.run_to_end("sh", "-c", '"$0" -c "$1" 4000; exit 3', PYTHON, HOG, options=["-G", group])
        self.assert_end(end, reason="memory limit", limit="memory")

    def test_within_the_limit(self):
        group = self.memory_group(200 * MIB)
        script = f"grep -c martlet-test-{os.getpid()} /proc/self/cgroup"
        end = self.run_to_end("sh", "-c", script, options=["-G", group])
        self.assert_end(end, code=0, reason="exited", limit=None, oom_kills=0)
        self.assertEqual(self.read("stdout.log"), b"1\n")
        self.assertFalse(os.path.exists(group))

    def test_several_groups_are_joined_and_removed(self):
        groups = [self.make_group("memory"), self.make_group("cpu")]
        options = [word for group in groups for word in ("-G", group)]
        end = self.run_to_end("sh", "-c", f"grep -c martlet-test-{os.getpid()} /proc/self/cgroup", options=options)
        self.assert_end(end, code=0)
        self.assertEqual(self.read("stdout.log"), b"2\n")
        self.assertEqual([group for group in groups if os.path.exists(group)], [])

    def test_a_group_of_version_2_tells_the_same(self):
        """A folder that looks like one: its memory controller is not to be had everywhere."""
        group = tempfile.mkdtemp(dir=base.scratch.name)
        files = {"cgroup.procs": "", "cgroup.kill": "", "memory.peak": f"{700 * MIB}\n"}
        events = "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 1\n"
        for name, text in {**files, "memory.events": events}.items():
            pathlib.Path(group, name).write_text(text)
        end = self.run_to_end("sleep", "300", options=["-G", group, "-g", "60"])
        self.assert_end(end, signal=9, reason="memory limit", limit="memory", oom_kills=3, peak_bytes=700 * MIB)
        self.assertEqual((read_text(f"{group}/cgroup.procs"), read_text(f"{group}/cgroup.kill")), ("0", "1"))
        # Killed, but not for its own limit.
        pathlib.Path(group, "memory.events").write_text(events.replace("oom 2", "oom 0"))
        self.setUp()
        end = self.run_to_end("sh", "-c", "kill -9 $$", options=["-G", group])
        self.assert_end(end, signal=9, reason="SIGKILL", limit=None, oom_kills=3)

    def test_usr1_reaches_a_program_in_a_group(self):
        group = self.memory_group(200 * MIB)
        process = self.start(PYTHON, "-c", POLITE, options=["-u", "-g", "60", "-G", group])
        self.printed_numbers(1)
        self.assert_end(self.stop(process), code=42, reason="stopped", limit=None, killed=False)
        self.assertFalse(os.path.exists(group))

    def test_a_group_is_removed_when_nothing_could_be_started(self):
        group = self.make_group("memory")
        end = self.run_to_end("no-such-program", options=["-G", group], env={"PATH": "/usr/bin:/bin"})
        self.assert_end(end, errno=2, limit=None)
        self.assertFalse(os.path.exists(group))


class OtherLimits(LimitsTestCase):
    def test_output(self):
        end = self.run_to_end("sh", "-c", "yes >&2 & yes", options=["-o", "100000"])
        self.assert_end(end, signal=15, reason="output limit", limit="output")

    def test_time(self):
        end = self.run_to_end("sleep", "300", options=["-t", "0.2"])
        self.assert_end(end, signal=15, reason="timed out", limit="time")

    def test_a_stop_is_no_limit(self):
        process = self.start("sleep", "300", options=["-t", "200", "-o", "100", "-M", "1e12"])
        self.started_attempt()
        self.assert_end(self.stop(process), reason="stopped", limit=None)

    def test_open_files(self):
        script = "ulimit -Sn; ulimit -Hn"
        self.run_to_end("sh", "-c", script, options=["-n", "64"])
        self.assertEqual(self.read("stdout.log"), b"64\n64\n")
        # As many as our own hard limit allows.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.setUp()
        self.run_to_end("sh", "-c", script, options=["-n", "1e15"])
        most = b"unlimited" if hard == resource.RLIM_INFINITY else b"%d" % hard
        self.assertEqual(self.read("stdout.log"), most + b"\n" + most + b"\n")

    def test_cpus(self):
        allowed = sorted(os.sched_getaffinity(0))
        code = "import os; print(sorted(os.sched_getaffinity(0)))"
        for chosen in ([allowed[-1]], allowed):
            with self.subTest(chosen):
                self.setUp()
                self.run_to_end(PYTHON, "-c", code, options=["-c", ",".join(map(str, chosen))])
                self.assertEqual(self.read("stdout.log").decode(), f"{chosen}\n")
        if len(allowed) > 1 and allowed[1] == allowed[0] + 1:
            self.setUp()
            self.run_to_end(PYTHON, "-c", code, options=["-c", f"{allowed[0]}-{allowed[1]}"])
            self.assertEqual(self.read("stdout.log").decode(), f"{allowed[:2]}\n")

    def test_a_cpu_that_is_not_there(self):
        end = self.run_to_end("true", options=["-c", "1023"])
        self.assert_end(end, code=-1, errno=22, reason="sched_setaffinity: Invalid argument")

    def test_wrong_usage(self):
        for options, words in (
            (["-c", ""], "not ''"),
            (["-c", "0,"], "not '0,'"),
            (["-c", "3-1"], "not '3-1'"),
            (["-c", "-1"], "not '-1'"),
            (["-c", "1024"], "not '1024'"),
            (["-M", "much"], "'much'"),
            (["-G", "a", "-G", "b", "-G", "c", "-G", "d", "-G", "e"], "more control groups"),
        ):
            with self.subTest(options):
                command = [base.supervisor, *options, self.directory, "--", "true"]
                result = subprocess.run(command, capture_output=True, text=True, timeout=60)
                self.assertEqual(result.returncode, 64)
                self.assertIn(words, result.stderr)
                self.assertEqual(os.listdir(self.directory), [])


class ToldByItsClient(LimitsTestCase):
    """A program whose client left word in its spool: SIGUSR1 instead of SIGTERM, one grace, then the tree."""

    def say(self, word):
        os.mkdir(f"{self.directory}/spool")
        pathlib.Path(self.directory, "spool", "stop_signal").write_text(word)

    def test_stop_and_time_limit(self):
        self.say("USR1\n")
        process = self.start(PYTHON, "-c", POLITE, options=["-g", "60"])
        self.printed_numbers(1)
        self.assert_end(self.stop(process), code=42, reason="stopped", killed=False)
        for limit in ("2", "10", "40"):  # time enough to print its line
            self.setUp()
            self.say("USR1")
            end = self.run_to_end(PYTHON, "-c", POLITE, options=["-g", "60", "-t", limit])
            if self.read("stdout.log"):
                break
        self.assert_end(end, code=42, reason="timed out", limit="time")

    def test_who_does_not_leave_is_killed_after_one_grace(self):
        self.say("USR1\n")
        script = 'trap "" USR1; trap "exit 5" TERM; echo $$; while :; do sleep 0.05; done'
        process = self.start("sh", "-c", script, options=["-g", "0.3"])
        pids = self.printed_numbers(1)
        self.assert_end(self.stop(process), code=-1, signal=9, reason="stopped", killed=True)
        self.assert_gone(pids)

    def test_others_get_sigterm(self):
        for word in ("", "TERM\n", "USR"):
            with self.subTest(word):
                self.setUp()
                self.say(word)
                process = self.start(PYTHON, "-c", POLITE, options=["-g", "60"])
                self.printed_numbers(1)
                self.assert_end(self.stop(process), code=5, reason="stopped")


class Household(LimitsTestCase):
    """Nothing is kept that is not needed, nothing taken in that is a stranger's."""

    def test_no_zombie_and_no_descriptor_is_left_of_many_orphans(self):
        code = (
            "import os, time\n"
            "for _ in range(300):\n"
            "  if os.fork() == 0:\n"
            "    if os.fork() == 0: os._exit(0)\n"
            "    os._exit(0)\n"
            "  os.wait()\n"
            "print(0, flush=True)\n"
            "time.sleep(300)"
        )
        process = self.start(PYTHON, "-c", code, options=["-M", "1e12"])
        command = self.started_attempt()["command"]["pid"]
        before = len(os.listdir(f"/proc/{process.pid}/fd"))
        self.printed_numbers(1)

        def children():
            return read_text(f"/proc/{process.pid}/task/{process.pid}/children").split()

        wait_for(lambda: children() == [str(command)])
        # One more may be open for a moment while it looks around.
        wait_for(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) <= before)
        self.stop(process)
        self.assertIsNone(start_time(command))

    def test_a_strangers_orphan_is_not_adopted(self):
        """The starter's own orphan, beside the supervisor, goes to whoever adopts for the starter."""
        script = (
            f"(sleep 300 & echo $! > '{self.directory}/orphan'); "
            f"exec '{base.supervisor}' '{self.directory}' -- sh -c 'echo $$; sleep 300'"
        )
        process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
        self.printed_numbers(1)
        orphan = int(read_text(f"{self.directory}/orphan"))
        self.addCleanup(os.kill, orphan, signal.SIGKILL)
        parent = int(re.search(r"\) \S (\d+)", read_text(f"/proc/{orphan}/stat")).group(1))
        self.assertNotEqual(parent, process.pid)
        self.stop(process)
        self.assertIsNotNone(start_time(orphan), "it is nobody's business")


if __name__ == "__main__":
    unittest.main(verbosity=2)
