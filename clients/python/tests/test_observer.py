"""The observer, where its disk is full, its devices hang, or nobody sends what it keeps."""

import errno
import os
import subprocess
import tempfile
import threading
import types
import unittest
from unittest import mock

from martlet import _gpu, _observer, _samples
from martlet._aside import Aside
from martlet._observer import Journal, Observer
from martlet._saving import Saved
from martlet._typed import Blobs
from support import PATIENCE, ClientTest, wait_for


class FullDiskTest(ClientTest):
    def test_it_goes_on_when_there_is_room_again(self):
        process = self.start(
            "run = martlet.init('p', mode='offline')\nrun.save('last', policy='end'); print(flush=True)\n"
            "sys.stdin.readline(); open('last', 'w').write('1')",
            stdin=subprocess.PIPE,
        )
        process.stdout.readline()
        (spool,) = self.spools()
        seen = spool.replace(".spool", ".seen")
        full, tried = threading.Event(), threading.Event()
        full.set()
        append = Journal._append

        def on_a_full_disk(journal, line):
            if full.is_set():
                tried.set()
                raise OSError(errno.ENOSPC, "No space left")
            append(journal, line)

        wait_for(lambda: self.senders("_keeper.py"))
        for keeper in self.senders("_keeper.py"):
            os.kill(keeper, 9)
        with mock.patch.object(Journal, "_append", on_a_full_disk):
            observer = Observer(spool)
            observer._write({"error": "first"})
            observer.start()
            self.assertTrue(tried.wait(PATIENCE))
            full.clear()
            wait_for(lambda: os.path.exists(seen) and os.path.getsize(seen))
            self.assertFalse(observer.ended.is_set())
            process.communicate("\n", timeout=2 * PATIENCE)
            self.assertTrue(observer.ended.wait(PATIENCE))
        lines, _ = _observer.lines_of(seen, 0)
        told = [line for line, _ in lines]
        self.assertEqual(told[0], {"error": "first"})
        self.assertEqual([line["file"]["path"] for line in told if "file" in line], ["last"])
        self.assertEqual(told[-1], {"done": True})


class SavedTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = directory.name
        self.file = os.path.join(self.place, "a")
        self.changes = 0
        self.change("1")
        self.saved = Saved()
        self.saved.add({"pattern": self.file, "base": self.place, "policy": "live"})

    def change(self, content):
        with open(self.file, "w") as file:
            file.write(content)
        self.changes += 1
        os.utime(self.file, (self.changes, self.changes))

    def look(self, ending=False):
        """What the second of two looks finds: the first sees that a file has changed."""
        first = [] if ending else list(self.saved.changed(self.place, False))
        return first + list(self.saved.changed(self.place, ending))

    def test_a_copy_that_failed_is_tried_again(self):
        with mock.patch.object(Blobs, "keep_file", side_effect=OSError(errno.ENOSPC, "No space left")):
            (said,) = self.look() + self.look()
        self.assertIn("No space left", said["error"])
        (line,) = self.look()
        self.assertEqual(line["file"]["path"], "a")
        self.assertEqual(self.look(), [])

    def test_of_a_file_that_changes_one_copy_waits(self):
        (first,) = self.look()
        self.change("22")
        self.assertEqual(self.look(), [])
        os.unlink(os.path.join(self.place, "blobs", first["file"]["sha256"]))  # it was sent
        (second,) = self.look()
        self.assertEqual(second["file"]["size"], 2)
        self.change("333")
        self.assertEqual(self.look(), [])
        self.assertEqual([line["file"]["size"] for line in self.look(ending=True)], [3])

    def test_it_leaves_room(self):
        usage = types.SimpleNamespace(total=100, used=99, free=1)
        with mock.patch("shutil.disk_usage", return_value=usage):
            self.assertEqual(self.look(), [])
            self.assertEqual(len(self.look(ending=True)), 1)


class VisibleTest(unittest.TestCase):
    def test_only_what_cuda_sees_is_told(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        tool = os.path.join(directory.name, "nvidia-smi")
        with open(tool, "w") as file:
            file.write("#!/bin/sh\necho 'GPU-a1, 0, 1, 0, 1, 0, 1'\necho 'GPU-b2, 1, 1, 0, 1, 0, 1'\n")
        os.chmod(tool, 0o755)
        expected = {
            "-1": [], "7": [], "1,-1,0": [1], "0,1": [0, 1], "1, 0": [0, 1], "GPU-b": [1], "GPU-c": [], "": [],
            "MIG-GPU-b2/1/0": [1], "MIG-41b3": [], "none": [],
        }  # fmt: skip
        for visible, indices in expected.items():
            path = directory.name + os.pathsep + os.environ["PATH"]
            with (
                self.subTest(visible),
                mock.patch.dict(os.environ, {"PATH": path, "CUDA_VISIBLE_DEVICES": visible}),
            ):
                names = {name.split("/")[0] for name in _gpu.samples()}
                self.assertEqual(names, {f"gpu.{index}" for index in indices})


class HangingTest(unittest.TestCase):
    def test_a_gpu_that_hangs_is_not_asked_again_meanwhile(self):
        asked, answer = [], threading.Event()

        def hanging():
            asked.append(1)
            answer.wait(PATIENCE)
            return {"gpu.0/power": 1.0}

        with (
            mock.patch.object(_gpu, "is_there", return_value=True),
            mock.patch.object(_gpu, "samples", hanging),
            mock.patch.object(_gpu, "SECONDS", -1.0),
        ):
            samples = _samples.Samples(os.getpid(), "/")
            self.assertNotIn("gpu.0/power", samples.take())
            self.assertNotIn("gpu.0/power", samples.take())
            self.assertEqual(len(asked), 1)
            answer.set()
            samples._asking.join(PATIENCE)
            with mock.patch.object(_gpu, "SECONDS", PATIENCE):
                self.assertEqual(samples.take()["gpu.0/power"], 1.0)

    def test_a_run_ends_although_its_observer_does_not(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, "c.spool")
        tail = types.SimpleNamespace(
            path=path, directory=directory.name, beside={}, client="c", acknowledge=lambda: None
        )
        carrier = types.SimpleNamespace(leaving=False, between=lambda: None)
        aside = Aside(tail, carrier, "/runs/r", once=False)
        aside._observer = types.SimpleNamespace(ended=threading.Event(), finish=lambda: None)
        with mock.patch("martlet._aside.STUCK", 0.0), mock.patch("sys.stderr"):
            ending = threading.Thread(target=aside.finish, daemon=True)
            ending.start()
            ending.join(PATIENCE)
        self.assertFalse(ending.is_alive())
        with open(os.path.join(directory.name, "c.error")) as file:
            self.assertIn("does not answer", file.read())


if __name__ == "__main__":
    unittest.main()
