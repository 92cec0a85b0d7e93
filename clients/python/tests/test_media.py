"""Files of a run on their way: beside the spool, before the rows that name them, once, and gone when they arrived."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
import unittest

from support import PATIENCE, ClientTest, wait_for

PICTURE = "martlet.Image([[0, 255], [255, 0]], caption='c')"


class MediaTest(ClientTest):
    def test_files_arrive_before_the_rows_that_name_them(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            f"for i in range(3): run.log({{'loss': i, 'picture': {PICTURE}}})\n"
            "run.log({'all': [martlet.Html(f'<p>{i}') for i in range(20)], 'h': martlet.Histogram([1, 2, 2])})\n"
            "run.log({'bad': martlet.Image(b'nothing'), 'worse': martlet.File('/no/such/file'), 'loss': 3})\n"
            "assert run.dropped == 2, run.dropped\n"
        )
        rows = server.values()
        picture = rows[0]["picture"]
        self.assertEqual((picture["_type"], picture["width"], picture["caption"]), ("image", 2, "c"))
        self.assertEqual([row.get("loss") for row in rows], [0, 1, 2, None, 3])
        self.assertEqual(rows[3]["h"]["counts"][0], 1)
        self.assertEqual(set(rows[4]), {"loss"})
        self.assertEqual((len(server.blobs), server.unfounded), (21, []))
        self.assertEqual(server.count("PUT", f".*/blobs/{picture['blob']}"), 1, "what is there is not sent again")
        page = rows[3]["all"][7]
        self.assertEqual(server.blobs[("run00000", page["blob"])], b"<p>7")
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])

    def test_a_file_is_logged_as_it_was(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            "for i in range(3):\n"
            "  with open('model.bin', 'w') as file: file.write('x' * i)\n"
            "  run.log({'model': martlet.File('model.bin')})\n"
        )
        found = [server.blobs[("run00000", row["model"]["blob"])] for row in server.values()]
        self.assertEqual(found, [b"", b"x", b"xx"])

    def test_a_large_file_and_signs_of_life_while_it_is_sent(self):
        server = self.serve()
        self.environment["MARTLET_HEARTBEAT"] = "0.05"
        server.slow = 0.01  # seconds a piece of 64 kB
        process = self.start(
            "run = martlet.init('p')\n"
            "with open('big', 'wb') as file:\n"
            "  for i in range(40): file.write(os.urandom(500_000))\n"
            "run.log({'big': martlet.File('big')})\n"
            "sys.stdin.readline()\n",
            stdin=subprocess.PIPE,
        )
        wait_for(server.values)
        _, err = process.communicate("\n", timeout=2 * PATIENCE)
        (row,) = server.values()
        content = server.blobs[("run00000", row["big"]["blob"])]
        self.assertEqual((len(content), hashlib.sha256(content).hexdigest()), (20_000_000, row["big"]["blob"]), err)
        (begun,) = [at for method, path, at in server.requests if method == "HEAD"]
        (sent,) = [at for method, path, at in server.requests if method == "PUT"]
        signs = [at for _, path, at in server.requests if path.endswith("heartbeat") and begun < at < sent]
        self.assertGreater(len(signs), 3)

    def test_a_file_that_is_refused_or_lost_keeps_no_row_back(self):
        server = self.serve()
        server.fault = lambda method, path: 413 if method == "PUT" else None
        _, err = self.train(f"run = martlet.init('p')\nrun.log({{'picture': {PICTURE}}})\nrun.log({{'a': 1}})")
        self.assertEqual(server.steps(), [0, 1])
        self.assertIn("answered 413 to PUT", err)
        server.fault = lambda method, path: 503 if "blobs" in path else None
        self.environment["MARTLET_FINISH_TIMEOUT"] = "0.2"
        self.train(f"run = martlet.init('q')\nrun.log({{'picture': {PICTURE}}})\nrun.log({{'a': 1}})")
        folder = os.path.join(os.path.dirname(self.spools()[0]), "blobs")
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        server.fault = lambda method, path: None
        wait_for(lambda: not self.senders())
        self.assertEqual(server.steps("run00001"), [0, 1])
        errors = [name for _, _, names in os.walk(self.home) for name in names if name.endswith(".error")]
        self.assertEqual(len(errors), 2)

    def test_a_file_that_is_refused_is_kept_and_the_program_says_where(self):
        server = self.serve()
        bad, good = (hashlib.sha256(text).hexdigest() for text in (b"<p>bad", b"<p>good"))
        server.fault = lambda method, path: 422 if method == "PUT" and bad in path else None
        log = "run.log({'page': martlet.Html('<p>good')}); run.log({'page': martlet.Html('<p>bad')})\n"
        for mode in ("online", "offline"):
            _, err = self.train(f"run = martlet.init('p', mode='{mode}', directory='{mode}')\n{log}")
            if mode == "offline":
                sync = [sys.executable, "-m", "martlet", "sync", os.path.join(self.home, mode)]
                done = subprocess.run(sync, env=self.environment, capture_output=True, text=True, check=True)
                err = done.stderr
            folder = os.path.join(self.home, mode, ".martlet", "blobs")
            self.assertIn(f"the file {bad} was refused and is kept in {folder}/{bad}: http", err)
            self.assertEqual(os.listdir(folder), [bad])
            with open(os.path.join(folder, bad), "rb") as file:
                self.assertEqual(file.read(), b"<p>bad")
            left = sorted(os.path.splitext(name)[1] for name in os.listdir(os.path.dirname(folder)))
            self.assertEqual(left[:2], ["", ".error"], "its spool is sent")
            self.assertNotIn(".spool", left)
        self.assertEqual({name for _, name in server.blobs}, {good})
        self.assertEqual((server.steps("run00000"), server.steps("run00001")), ([0, 1], [0, 1]))

    def test_senders_that_are_killed_lose_no_file(self):
        server = self.serve()
        server.slow = 0.002
        rolls = random.Random(5)
        server.fault = lambda method, path: rolls.choice(["cut", 500, *[None] * 8]) if "blobs" in path else None
        process = self.start(
            "import martlet._run\nmartlet._run.LOOK_AFTER = 20_000\n"
            "run = martlet.init('p')\n"
            "for i in range(60):\n"
            "  run.log({'loss': i, 'page': martlet.Html(f'{i}' * 100_000)}); time.sleep(0.03)\n"
        )
        for _ in range(8):
            time.sleep(rolls.uniform(0.05, 0.3))  # the moment of the kill is what is varied
            for sender in self.senders():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(sender, signal.SIGKILL)
        _, err = process.communicate(timeout=2 * PATIENCE)
        wait_for(lambda: len(server.finishes) == 1)
        self.assertEqual((server.steps(), server.unfounded), (list(range(60)), []), err)
        for i, row in enumerate(server.values()):
            self.assertEqual(server.blobs[("run00000", row["page"]["blob"])], f"{i}".encode() * 100_000)
        wait_for(lambda: not self.senders())
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])

    def test_a_forked_child_shares_the_folder_and_takes_nothing_away(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            f"run.log({{'picture': {PICTURE}}})\n"
            "child = os.fork()\n"
            f"for i in range(20): run.log({{'picture': {PICTURE}, 'page': martlet.Html(str((bool(child), i)))}})\n"
            "if not child: run.finish(); os._exit(0)\n"
            "os.wait()\n"
        )
        wait_for(lambda: not self.senders())
        self.assertEqual((len(server.steps()), len(server.blobs), server.unfounded), (41, 41, []))
        self.assertEqual(self.spools(), [])

    def test_encoding_a_picture_keeps_no_other_thread_waiting(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\n"
            "class Slow:\n"
            "  def save(self, file, format):\n"
            "    started.set(); go.wait(); file.write(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(30))\n"
            "started, go = threading.Event(), threading.Event()\n"
            "thread = threading.Thread(target=lambda: run.log({'picture': martlet.Image(Slow())}, 1))\n"
            "thread.start(); started.wait()\n"
            "run.log({'a': 1}, 0)\n"  # would wait for ever
            "go.set(); thread.join()\n"
        )
        self.assertEqual(server.steps(), [0, 1])

    def test_sync_brings_files_as_well(self):
        self.train(f"run = martlet.init('p', mode='offline')\nrun.log({{'picture': {PICTURE}}})")
        server = self.serve()
        command = [sys.executable, "-m", "martlet", "sync"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertIn("1 spool: 1 row and 1 file,", done.stdout)
        self.assertEqual((len(server.blobs), server.unfounded, self.spools()), (1, [], []))


if __name__ == "__main__":
    unittest.main()
