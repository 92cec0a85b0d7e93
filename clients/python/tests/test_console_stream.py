"""What stands between a program and its output: what of it is kept, and what becomes of descriptors."""

import contextlib
import io
import os
import sys
import tempfile
import threading
import unittest
from unittest import mock

from martlet import _console
from martlet._console_tail import ConsoleTail


class StreamTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.stem = os.path.join(directory.name, "c")
        self.console = _console.Console()
        self.addCleanup(self.console.end)

    def kept(self, stream="stdout"):
        tail, found = ConsoleTail(self.stem), b""
        while True:
            pieces, token = tail.read()
            if not pieces:
                return found.decode()
            found += b"".join(piece.data for piece in pieces if piece.stream == stream)
            tail.delivered(token)

    def begin(self, out, err=None):
        with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
            self.console.begin(self.stem)

    def test_streams_of_all_kinds_stay_what_they_are(self):
        class Notebook:
            """As ipykernel's: not a TextIOBase."""

            def __init__(self):
                self.text = ""

            def write(self, text):
                self.text += text
                return len(text)

        class Rigid:
            """Takes no attribute."""

            __slots__ = ()

            def write(self, text):
                return len(text)

        notebook = Notebook()
        self.begin(notebook, Rigid())
        self.assertEqual(notebook.write("a"), 1)
        print("b", file=notebook)
        self.console.end()
        notebook.write("c")
        self.assertEqual((notebook.text, self.kept()), ("ab\nc", "ab\n"))

    def test_a_closed_stream_raises_as_it_would(self):
        stream = io.StringIO()
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        stream.write("x")
        stream.close()
        with self.assertRaises(ValueError):
            stream.write("y")
        self.console.end()
        self.assertEqual(self.kept(), "xy")

    def test_what_somebody_redirects_is_not_the_consoles(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with mock.patch.object(sys, "stdout", stream), mock.patch.object(sys, "stderr", None):
            self.console.begin(self.stem)
            elsewhere = io.StringIO()
            with contextlib.redirect_stdout(elsewhere):
                print("hidden")
            print("shown")
        self.assertEqual((elsewhere.getvalue(), self.kept()), ("hidden\n", "shown\n"))

    def test_whoever_joins_the_stream_after_us_stays(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        ours, heard = stream.write, []
        stream.write = lambda text: (heard.append(text), ours(text))[1]
        stream.write("a")
        self.console.end()
        stream.write("b")
        self.assertEqual((heard, self.kept()), (["a", "b"], "a"))

    def test_another_file_is_begun_and_what_was_sent_goes(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        tail = ConsoleTail(self.stem)
        with mock.patch.object(_console, "SEGMENT", 1000):
            self.begin(stream)
            for i in range(200):
                stream.write(f"{i:05d}\n")
            self.assertGreater(len(_console.segments(self.stem)), 2)
            found = b""
            while True:
                pieces, token = tail.read()
                if not pieces:
                    break
                found += b"".join(piece.data for piece in pieces)
                tail.delivered(token)
            tail.forget()
        self.assertEqual(found.decode(), "".join(f"{i:05d}\n" for i in range(200)))
        self.assertEqual(len(_console.segments(self.stem)), 1)
        later = ConsoleTail(self.stem, tail.state)
        stream.write("more")
        self.assertEqual([(p.offset, p.data) for p in later.read()[0]], [(1200, b"more")])

    def test_what_nobody_sends_is_bounded_and_the_gap_is_said(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with (
            mock.patch.object(_console, "SEGMENT", 1000),
            mock.patch.object(_console, "MOST_SEGMENTS", 3),
            mock.patch.object(_console, "AGAIN", 0.0),
        ):
            self.begin(stream)
            for _ in range(1000):
                stream.write("x" * 90)
            self.assertEqual(len(_console.segments(self.stem)), 3)
            os.unlink(_console.segment(self.stem, 0))
            stream.write("again")
        tail = ConsoleTail(self.stem)
        streams = {"stdout": b"", "stderr": b""}
        while (answer := tail.read())[0]:
            for piece in answer[0]:
                streams[piece.stream] += piece.data
            tail.delivered(answer[1])
        self.assertTrue(streams["stdout"].endswith(b"xagain"))
        self.assertIn(b"bytes of output were not kept here]", streams["stderr"])

    def test_the_streams_take_turns_as_they_did(self):
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(out, err)
        for text in ("a", "b", "c"):
            out.write(text)
            err.write(text.upper())
        out.write("d")
        tail = ConsoleTail(self.stem)
        pieces, token = tail.read()
        expected = [("stdout", 0, b"a"), ("stderr", 0, b"A"), ("stdout", 1, b"b"), ("stderr", 1, b"B")]
        self.assertEqual([(p.stream, p.offset, p.data) for p in pieces[:4]], expected)
        self.assertEqual((pieces[-1].offset, pieces[-1].data), (3, b"d"))
        tail.delivered(token)
        for _ in range(100):
            out.write("x")
            err.write("y")
        pieces, _ = tail.read()
        self.assertEqual([(p.stream, p.offset, len(p.data)) for p in pieces], [("stdout", 4, 100), ("stderr", 3, 100)])

    def test_a_torn_end_is_passed_over(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        stream.write("a")
        with open(_console.segment(self.stem, 0), "ab") as file:
            file.write(_console.FRAME.pack(_console.MARK, 1, 0, 100, 0) + b"only these")
        self.assertEqual(self.kept(), "a")
        with open(_console.segment(self.stem, 1), "wb") as file:
            file.write(_console.FRAME.pack(_console.MARK, 1, 0, 1, 0) + b"b")
        self.assertEqual(self.kept(), "ab")

    def test_a_full_disk_is_no_matter_to_print(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        with mock.patch.object(os, "writev", side_effect=OSError(28, "No space left")):
            stream.write("lost")
        with mock.patch.object(_console, "AGAIN", 0.0):
            self.console._try_at = 0.0
            stream.write("kept")
        self.assertTrue(self.kept().endswith("kept"))
        self.assertIn("4 bytes of output were not kept", self.kept("stderr"))

    def test_a_number_that_is_somebody_elses_by_now_is_left_alone(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        stream.write("a")
        ours = self.console._fd
        self.assertGreater(ours, 3)
        os.close(ours)
        stream.write("closed")
        self.begin(stream)
        ours = self.console._fd
        with open(self.stem + ".database", "wb") as file:
            os.dup2(file.fileno(), ours, inheritable=False)  # as a daemon's: all closed, then a file of its own
            self.addCleanup(os.close, ours)
            stream.write("b")
            self.console.end()
            self.begin(stream)
            stream.write("c")
            self.assertNotEqual(self.console._fd, ours)
            self.assertEqual(os.fstat(ours).st_ino, os.fstat(file.fileno()).st_ino)
            self.assertEqual(os.fstat(ours).st_size, 0)
        self.assertEqual(self.kept(), "ac")

    def test_a_second_run_keeps_each_text_once(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        ours = stream.write
        stream.write = lambda text: ours(text + "")
        self.console.end()
        self.begin(stream)
        stream.write("a")
        self.assertEqual(self.kept(), "a")

    def test_a_stream_that_writes_through_the_other_is_kept_once(self):
        class Logger:
            def __init__(self, stream):
                self.stream = stream

            def write(self, text):
                return self.stream.write(text)

        out = Logger(io.TextIOWrapper(io.BytesIO(), "utf-8"))
        self.begin(out, Logger(out))
        out.write("a")
        err = self.console._joined[1][0]
        err.write("b")
        err.write("b")
        out.write("b")
        self.assertEqual((self.kept(), self.kept("stderr")), ("ab", "bb"))

    def test_what_is_no_text_is_not_kept(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        with self.assertRaises(TypeError):
            stream.write(5)
        self.assertEqual(self.kept(), "")

    def in_a_child(self, work):
        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    def test_what_a_child_prints_is_bounded_as_well(self):
        open(self.stem + ".spool", "wb").close()
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with (
            mock.patch.object(_console, "SEGMENT", 1000),
            mock.patch.object(_console, "MOST_SEGMENTS", 3),
            mock.patch.object(_console, "AGAIN", 0.0),
        ):
            self.begin(stream)
            self.in_a_child(lambda: [stream.write("x" * 90) for _ in range(300)])
            numbers = _console.segments(self.stem)
            self.assertEqual(numbers, [0, 1, 2])
            for number in numbers:
                self.assertLessEqual(os.path.getsize(_console.segment(self.stem, number)), 1000)
            os.unlink(_console.segment(self.stem, 0))
            stream.write("mine")  # in a file of its own, behind the child's
        self.assertEqual(_console.segments(self.stem), [1, 2, 3])
        self.assertTrue(self.kept().endswith("xmine"))

    def test_a_child_makes_no_file_when_the_run_was_sent(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        self.begin(stream)
        os.unlink(_console.segment(self.stem, 0))
        self.in_a_child(lambda: stream.write("late"))
        self.assertEqual(_console.segments(self.stem), [])

    def test_what_a_child_goes_on_writing_into_an_older_file_is_read(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        tail = ConsoleTail(self.stem)
        found = []

        def take():
            pieces, token = tail.read()
            found.extend((piece.offset, piece.data) for piece in pieces)
            tail.delivered(token)

        with mock.patch.object(_console, "SEGMENT", 100):
            self.begin(stream)
            stream.write("a")
            take()
            stream.write("b" * 90)  # too long for the first
            self.assertEqual(_console.segments(self.stem), [0, 1])
            take()
            with open(_console.segment(self.stem, 0), "ab") as file:
                file.write(_console.FRAME.pack(_console.MARK, 1, 0, 1, 0) + b"c")
            tail.forget()
            self.assertTrue(tail.grown())
            take()
            tail.forget()
            self.assertFalse(tail.grown())
        self.assertEqual(found, [(0, b"a"), (1, b"b" * 90), (91, b"c")])
        self.assertEqual(_console.segments(self.stem), [1])

    def test_how_much_waits_is_known(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        tail = ConsoleTail(self.stem)
        self.assertTrue(tail.reached(tail.mark()))
        self.begin(stream)
        for _ in range(3):
            stream.write("x" * 200_000)
        mark = tail.mark()
        self.assertTrue(tail.read()[0] and tail.behind and not tail.reached(mark))
        looks = 0
        while not tail.reached(mark):
            stream.write("more")  # a program that prints all the time
            tail.delivered(tail.read()[1])
            looks += 1
        self.assertLessEqual(looks, 4)
        self.assertFalse(tail.behind)

    def test_many_threads_while_files_change(self):
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with mock.patch.object(_console, "SEGMENT", 2000), mock.patch.object(_console, "MOST_SEGMENTS", 10_000):
            self.begin(stream)

            def work(name):
                for i in range(500):
                    self.console._keep(1, f"{name} {i}\n")

            threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        lines = self.kept().splitlines()
        lost = self.kept("stderr")
        if not lost:  # another thread may have been just about to begin the next file: then the gap is said
            self.assertEqual(sorted(lines), sorted(f"{n} {i}" for n in range(4) for i in range(500)))
        self.assertLessEqual(set(lines), {f"{n} {i}" for n in range(4) for i in range(500)})


if __name__ == "__main__":
    unittest.main()
