#!/usr/bin/env python3
"""Servers killed at random and at chosen moments of a sweep: every trial ends exactly once, none is lost, none is
left running.

Run: python3 Tests/Crash/test_crash.py        (about 20 s a round)
MARTLET_BIN names the program (.build/debug/martlet), MARTLET_CRASH_ROUNDS how many rounds each test has (5), and
MARTLET_CRASH_SEED the seed of the first (random; it is printed). martlet-supervisor lies beside the program.
"""

import contextlib
import csv
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from tracking.server import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARTLET = pathlib.Path(os.environ.get("MARTLET_BIN") or ROOT / ".build/debug/martlet").resolve()
ROUNDS = int(os.environ.get("MARTLET_CRASH_ROUNDS", "5"))
SEED = int(os.environ.get("MARTLET_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))
TRIALS = 16
POINTS = 8
MOST_KILLS = 20

SWEEP = """\
program: train.py
name: crash
project: crash
method: grid
metric: {name: loss, goal: minimize}
max_parallel: 2
parameters:
  x: {values: [1, 2, 3, 4]}
  y: {values: [1, 2, 3, 4]}
"""

# Notes its beginning and end. Each point goes into the spool, and is sent at once as well where a server is up: so
# most points reach the server twice.
TRAIN = """\
import http.client, json, os, struct, sys, time, urllib.request, uuid, zlib

args = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
trial = os.environ["MARTLET_TRIAL_ID"]
client = uuid.uuid4().hex
spool = open(os.path.join(os.environ["MARTLET_SPOOL_DIR"], client + ".spool"), "ab", buffering=0)
url = "{MARTLET_URL}/api/v1/runs/{MARTLET_RUN_ID}/log?client=".format(**os.environ) + client


def note(word):
    with open("notes", "ab", buffering=0) as notes:
        notes.write(f"{word} {trial} {os.environ['MARTLET_ATTEMPT']}\\n".encode())


def record(kind, seq, now, payload):
    body = struct.pack("<QqqB", seq, seq, now, kind) + payload
    spool.write(struct.pack("<II", len(body), zlib.crc32(body)) + body)


def send(seq, now, value):
    row = json.dumps({"seq": seq, "step": seq, "time": now, "values": {"loss": value}}) + "\\n"
    headers = {"Authorization": "Bearer " + os.environ["MARTLET_TOKEN"], "Content-Type": "application/x-ndjson"}
    try:
        urllib.request.urlopen(urllib.request.Request(url, row.encode(), headers), timeout=0.5).read()
    except (OSError, http.client.HTTPException):  # the second: half an answer of a server that was killed
        pass


note("begin")
record(1, 0, 0, json.dumps({"format": 1, "client": client, "names": {"loss": 0}}).encode())
for seq in range(POINTS):
    now = int(time.time() * 1e6)
    value = int(args["x"]) * 10 + int(args["y"]) + 1.0 - seq / POINTS
    record(0, seq, now, struct.pack("<Id", 0, value))
    send(seq, now, value)
    time.sleep(0.06)
note("end")
""".replace("POINTS", str(POINTS))

# Holds every supervisor up before it takes its lock, until the gate is open; `held` has a line for each.
GATED_SUPERVISOR = """\
#!/bin/sh
echo $$ >> "{root}/held"
until [ -e "{root}/gate" ]; do sleep 0.02; done
exec {supervisor} "$@"
"""

# Holds the supervisor up, for up to half a second.
SLOW_SUPERVISOR = """\
#!/bin/sh
sleep 0.$(printf %03d $(( $(od -An -N2 -tu2 /dev/urandom) % 500 )))
exec {supervisor} "$@"
"""


def setUpModule():
    print(f"MARTLET_CRASH_SEED={SEED} MARTLET_CRASH_ROUNDS={ROUNDS}", flush=True)
    for program in (MARTLET, MARTLET.parent / "martlet-supervisor"):
        if not os.access(program, os.X_OK):
            raise AssertionError(f"{program} is not built; MARTLET_BIN names another")


def start_time(pid):
    """Field 22 of /proc/PID/stat; None when there is no such process, or only a zombie of it."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Server:
    """A data directory, and a server on it that may be killed."""

    def __init__(self, root, environment):
        self.root = pathlib.Path(root)
        self.data = self.root / "data"
        self.port = free_port()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(root), "LC_ALL": "C.UTF-8"}
        self.environment |= {"MARTLET_DATA": str(self.data), **environment}
        self.process = None

    def start(self):
        """Starts it without waiting for it to listen."""
        with open(self.root / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [MARTLET, "up", "--port", str(self.port)],
                env=self.environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(120)

    def request(self, path, body=None):
        token = (self.data / "token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def is_up(self):
        try:
            self.request("/status")
            return True
        except OSError:
            return False

    def wait_until_up(self, seconds=120):
        end = time.monotonic() + seconds
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the server is not up:\n{self.log()}")
            time.sleep(0.02)

    def log(self):
        text = (self.root / "server.log").read_text(errors="replace")
        return text[-4_000:]

    def processes(self):
        """The ids of all processes that were started from this data directory, servers aside."""
        mark = f"MARTLET_DATA={self.data}".encode()
        server = self.process.pid if self.process else 0
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == server or start_time(entry) is None:
                continue
            try:
                if mark in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    found.append(int(entry))
            except OSError:
                continue
        return found


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="martlet-crash-")
        pathlib.Path(self.root, "train.py").write_text(TRAIN)
        pathlib.Path(self.root, "sweep.yaml").write_text(SWEEP)
        self.server = None

    def tearDown(self):
        if self.server:
            if self.server.process and self.server.process.poll() is None:
                self.server.process.kill()
                self.server.process.wait()
            for pid in self.server.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def submit(self):
        self.server.start()
        self.server.wait_until_up()
        done = subprocess.run(
            [MARTLET, "sweep", "run", "sweep.yaml", "--detach", "--output", f"{self.root}/out"],
            env=self.server.environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.server.request("/sweeps")["items"][0]["id"]

    def state(self, sweep):
        try:
            return self.server.request(f"/sweeps/{sweep}")["state"]
        except (OSError, ValueError):
            return "unknown"

    def ends_within(self, sweep, seconds):
        """Whether the sweep has ended at the end of so many seconds, or before."""
        end = time.monotonic() + seconds
        while True:
            if self.state(sweep) in ("finished", "failed", "stopped", "cancelled"):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, 0.05))

    def go_through(self, numbers, number, longest):
        """One sweep, its servers ended by signal `number` at random moments. Returns how often."""
        sweep = self.submit()
        kills = 0
        while kills < MOST_KILLS and not self.ends_within(sweep, numbers.uniform(0.0, longest)):
            self.assertIsNone(self.server.process.poll(), f"the server ended by itself:\n{self.server.log()}")
            was_up = number == signal.SIGTERM and self.server.is_up()
            status = self.server.end(number)
            if was_up:
                self.assertEqual(status, 0, f"SIGTERM is no clean end:\n{self.server.log()}")
            kills += 1
            time.sleep(numbers.choice([0, 0, 0.1, 0.6]))
            self.server.start()
        self.server.wait_until_up()
        self.assertTrue(self.ends_within(sweep, 300), f"the sweep does not end:\n{self.describe(sweep)}")
        self.check(sweep)
        return kills

    def describe(self, sweep):
        trials = self.server.request(f"/sweeps/{sweep}/trials")["items"]
        lines = [f"{trial['number']}: {trial['state']} {trial['run_state']}, {trial['attempts']}" for trial in trials]
        return "\n".join([*lines, self.server.log()])

    def check(self, sweep):
        found = self.server.request(f"/sweeps/{sweep}")
        self.assertEqual(found["state"], "finished", found["state_reason"])
        trials = self.server.request(f"/sweeps/{sweep}/trials")["items"]
        self.assertEqual([trial["number"] for trial in trials], list(range(TRIALS)))
        self.assertEqual(len({(trial["params"]["x"], trial["params"]["y"]) for trial in trials}), TRIALS)
        for trial in trials:
            self.assertEqual((trial["state"], trial["run_state"]), ("complete", "finished"), trial)
            self.assertEqual(trial["objective"], trial["params"]["x"] * 10 + trial["params"]["y"] + 1 / POINTS)

        # Every command was started once and came to its end once; attempts that never began say so.
        notes = pathlib.Path(self.root, "notes").read_text().splitlines()
        for word in ("begin", "end"):
            times = sorted(int(note.split()[1]) for note in notes if note.startswith(word + " "))
            self.assertEqual(times, list(range(TRIALS)), f"{word}: {notes}")
        for trial in trials:
            attempts = self.server.request(f"/runs/{trial['run']}/attempts")["items"]
            self.assertEqual([attempt["number"] for attempt in attempts], list(range(1, len(attempts) + 1)))
            states = [attempt["state"] for attempt in attempts]
            self.assertEqual(states, ["preempted"] * (len(attempts) - 1) + ["finished"])
            begun = [note.split()[2] for note in notes if note.startswith(f"begin {trial['number']} ")]
            self.assertEqual(begun, [str(len(attempts))])

        # Nothing runs any more.
        for path in self.server.data.glob("runs/*/attempt-*/attempt.json"):
            record = json.loads(path.read_text())
            for role in ("supervisor", "command"):
                process = record.get(role)
                if process:
                    # Whoever lets go of its lock takes a moment more to be gone.
                    self.poll(
                        lambda process=process: start_time(process["pid"]) != process["start"],
                        what=f"the end of the {role} of {path}",
                    )
        self.assertEqual(self.leftovers(), [])
        status = self.server.request("/status")
        self.assertEqual((status["running"], status["queued"]), (0, 0))

        # Every point is there once.
        series = self.server.request("/series", {"runs": [trial["run"] for trial in trials], "keys": ["loss"]})
        self.assertEqual(len(series["series"]), TRIALS)
        for line in series["series"]:
            self.assertEqual(line["steps"], list(range(POINTS)))
        with open(f"{found['output_dir']}/sweep_summary.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), TRIALS)
        self.assertEqual({row["state"] for row in rows}, {"finished"})
        self.assertEqual(len({row["run_name"] for row in rows}), TRIALS)
        self.assertEqual((rows[0]["x"], rows[0]["y"]), ("1", "1"))

    def leftovers(self):
        """Processes of attempts that outlive the sweep; a late supervisor that finds its attempt revoked may take a
        moment to leave."""
        end = time.monotonic() + 60
        while (left := self.server.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def wrap_supervisor(self, text):
        """A script in the supervisor's place; returns the environment of a server that takes it."""
        script = pathlib.Path(self.root, "supervisor")
        script.write_text(text.format(root=self.root, supervisor=MARTLET.parent / "martlet-supervisor"))
        script.chmod(0o755)
        return {"MARTLET_SUPERVISOR": str(script)}

    def poll(self, condition, seconds=120, pause=0.02, what="it"):
        """What `condition` answers, once it is more than nothing."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            self.assertLess(time.monotonic(), end, f"{what} did not come within {seconds} s:\n{self.server.log()}")
            time.sleep(pause)
        return found

    def found(self, name):
        """The attempts' directories that hold a file of this name."""
        return {path.parent for path in self.server.data.glob(f"runs/*/attempt-*/{name}")}

    def rounds(self, number=signal.SIGKILL, longest=1.5, slow=False):
        kills = rounds = 0
        for seed in itertools.count(SEED):
            # Where sweeps were over before anybody was killed, there are more of them.
            if rounds >= ROUNDS and (kills > ROUNDS or rounds >= ROUNDS + 10):
                break
            rounds += 1
            with self.subTest(seed=seed):
                environment = {}
                if slow:
                    environment = self.wrap_supervisor(SLOW_SUPERVISOR)
                self.server = Server(self.root, environment)
                kills += self.go_through(random.Random(seed), number, longest)
            self.tearDown()
            self.setUp()
        print(f"{kills} servers ended in {rounds} sweeps ... ", end="", flush=True)
        self.assertGreater(kills, ROUNDS, "hardly any server was ended while the sweep went on")

    def test_killed_at_random_moments(self):
        self.rounds()

    def test_killed_between_spawn_and_record(self):
        self.rounds(slow=True)

    def test_killed_again_and_again_while_it_starts(self):
        self.rounds(longest=0.4)

    def test_killed_before_the_lock(self):
        """The server dies while its supervisors sleep, the next one finds nothing begun, and then they wake up."""
        self.server = Server(self.root, self.wrap_supervisor(GATED_SUPERVISOR))
        held = pathlib.Path(self.root, "held")
        sweep = self.submit()
        self.poll(lambda: held.exists() and len(held.read_text().splitlines()) == 2)
        self.assertEqual(self.found("attempt.json"), set())
        self.server.end(signal.SIGKILL)
        self.server.start()
        self.server.wait_until_up()
        revoked = self.poll(lambda: len(self.found("revoked")) == 2 and self.found("revoked"))
        pathlib.Path(self.root, "gate").touch()
        self.assertTrue(self.ends_within(sweep, 300), f"the sweep does not end:\n{self.describe(sweep)}")
        self.check(sweep)
        # The late ones started nothing.
        self.assertEqual(self.found("revoked"), revoked)
        self.assertEqual(self.found("revoked") & self.found("attempt.json"), set())

    def test_killed_between_lock_and_record(self):
        """The server dies as soon as a supervisor has its lock, so that most times there is no record yet."""
        hits = kills = 0
        for _ in range(10):  # sweeps, until one kill at least came before a record
            found = self.kill_between_lock_and_record()
            hits, kills = hits + found[0], kills + found[1]
            if hits:
                break
            self.tearDown()
            self.setUp()
        print(f"{hits} of {kills} servers killed before the record ... ", end="", flush=True)
        self.assertGreater(hits, 0)

    def kill_between_lock_and_record(self):
        """One sweep. How many kills came before a record, of how many."""
        self.server = Server(self.root, self.wrap_supervisor(SLOW_SUPERVISOR))
        sweep = self.submit()
        kills, hits, known = 0, 0, set()
        while hits < 3 and kills < 12 and self.state(sweep) == "running":
            fresh = set()
            end = time.monotonic() + 2
            # Without a pause: the moment is over within a millisecond.
            while not fresh and time.monotonic() < end:
                fresh = self.found("lock") - known
            self.server.process.kill()
            hits += any(not (path / "attempt.json").exists() for path in fresh)  # at the kill, not when it is gone
            self.server.process.wait(120)
            known |= self.found("lock")
            kills += 1
            self.server.start()
            self.server.wait_until_up()
        self.assertTrue(self.ends_within(sweep, 300), f"the sweep does not end:\n{self.describe(sweep)}")
        self.check(sweep)
        return hits, kills

    def test_ended_by_sigterm(self):
        self.rounds(number=signal.SIGTERM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
