"""What a program prints: it goes on as it did, and arrives at the server as well, each byte once."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

from martlet import _console
from martlet._aside import CutOff
from martlet._console_tail import PIECE, ConsoleTail
from martlet._sender import Sender
from support import PATIENCE, ClientTest, wait_for


class ProgramTest(ClientTest):
    def test_what_is_printed_arrives_as_well(self):
        server = self.serve()
        out, err = self.train(
            "print('before')\nrun = martlet.init('p')\nprint('one'); print('zwei \\xe4')\n"
            "sys.stderr.write('\\r 10%'); sys.stderr.write('\\r 20%\\n'); sys.stdout.writelines(['a\\n', 'b\\n'])\n"
            "assert sys.stdout is sys.__stdout__ and sys.stdout.fileno() == 1 and not sys.stdout.isatty()\n"
            "print('no newline', end='')\nrun.finish()\nprint('after')\nassert 'write' not in sys.stdout.__dict__\n"
        )
        self.assertEqual(out, "before\none\nzwei ä\na\nb\nno newlineafter\n")
        self.assertEqual(server.output("stdout"), "one\nzwei ä\na\nb\nno newline")
        self.assertTrue(err.endswith("\n 10%\n 20%\n"), err)
        self.assertTrue(server.output("stderr").endswith("\r 10%\r 20%\n"), server.output("stderr"))
        self.assertEqual(self.spools(), [])
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])

    def test_the_traceback_of_the_end_arrives(self):
        server = self.serve()
        _, err = self.train("martlet.init('p')\n1 / 0", expect=1)
        self.assertIn("ZeroDivisionError", err)
        self.assertIn("ZeroDivisionError: division by zero\n", server.output("stderr"))

    def test_it_can_be_turned_off_and_is_off_in_an_attempt(self):
        server = self.serve()
        self.train("martlet.init('p', console='off')\nprint('x')")
        self.environment["MARTLET_CONSOLE"] = "off"
        self.train("martlet.init('p')\nprint('x')")
        del self.environment["MARTLET_CONSOLE"]
        self.attempt(server)
        self.train("martlet.init()\nprint('x')")
        self.assertEqual(server.logs, {})
        _, err = self.train("martlet.init('p', console='on')", expect=1)
        self.assertIn("console is one of wrap, off, not 'on'", err)

    def test_it_is_there_while_the_program_runs_and_after_it_was_killed(self):
        server = self.serve()
        process = self.start("martlet.init('p')\nprint('hello', flush=True)\ntime.sleep(300)")
        wait_for(lambda: server.output() == "hello\n")
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not self.senders())
        self.assertEqual(server.output(), "hello\n")

    def test_a_server_that_is_unwell_gets_each_byte_once(self):
        server = self.serve()
        turns = iter(range(10**9))
        server.fault = lambda method, path: ("cut", None, 500)[next(turns) % 3] if "/logs?" in path else None
        process = self.start(
            "run = martlet.init('p')\nthreading.Thread(target=sys.stdin.readline).start()\ni = 0\n"
            "while threading.active_count() > 1:\n"
            "  run.log({'i': i}); i += 1; time.sleep(0.001)\n"
            "  print('line', i, file=(sys.stdout, sys.stderr)[i % 3 == 0])\n",
            stdin=subprocess.PIPE,
        )
        wait_for(lambda: len(server.log_times) > 10)
        (sender,) = self.senders()
        os.kill(sender, signal.SIGKILL)
        known = len(server.log_times)
        wait_for(lambda: len(server.log_times) > known + 5, "another sender")
        out, err = process.communicate("\n", timeout=2 * PATIENCE)
        wait_for(lambda: not self.senders())
        self.assertEqual(server.output("stdout"), out)
        self.assertTrue(err.endswith(server.output("stderr").partition("\n")[2]))
        self.assertEqual(self.spools(), [])

    def test_offline_it_is_kept_with_its_times_and_sent_later(self):
        out, _ = self.train(
            "martlet.init('p', mode='offline')\n"
            "for i in range(3): print('x' * 300_000, i, flush=True); time.sleep(0.3)\nos.kill(os.getpid(), 9)",
            expect=-9,
        )
        server = self.serve()
        command = [sys.executable, "-m", "martlet", "sync"]
        subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=2 * PATIENCE)
        self.assertEqual(server.output(), out)
        times = [at for stream, _, at in server.log_times if stream == "stdout"]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[-1] - times[0], 500_000)
        self.assertEqual(os.listdir(os.path.join(self.home, ".martlet-client", "spool")), [])

    def test_a_server_that_was_restored_goes_on_where_it_is(self):
        server = self.serve()
        process = self.start(
            "martlet.init('p')\nprint('a' * 100, flush=True); sys.stdin.readline(); print('b')", stdin=subprocess.PIPE
        )
        wait_for(lambda: len(server.output()) == 101)
        with server.lock:
            for name in server.logs:
                server.logs[name] = server.logs[name][:50]
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(server.output(), "a" * 50 + "b\n")

    def test_an_older_server_that_keeps_no_output_gets_the_rows(self):
        server = self.serve()
        server.fault = lambda method, path: 404 if "/logs?" in path else None
        _, err = self.train("run = martlet.init('p')\nprint('x')\nrun.log({'a': 1})")
        self.assertEqual((server.steps(), self.spools(), err.count("\n")), ([0], [], 1))

    def test_threads_children_and_signal_handlers_print_whole_pieces(self):
        server = self.serve()
        out, _ = self.train(
            "run = martlet.init('p')\n"
            "signal.signal(signal.SIGALRM, lambda *_: sys.stderr.write('tick\\n'))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
            "def work(n):\n  for i in range(300): sys.stdout.write(f'{n} {i}\\n')\n"
            "child = os.fork()\n"
            "threads = [threading.Thread(target=work, args=(f'{n}{child == 0}',)) for n in range(4)]\n"
            "[t.start() for t in threads]; [t.join() for t in threads]\n"
            "signal.setitimer(signal.ITIMER_REAL, 0)\n"
            "sys.stdout.flush()\n"
            "if child == 0: os._exit(0)\n"
            "os.waitpid(child, 0)\n"
        )
        self.assertEqual(len(out.splitlines()), 2400)
        self.assertEqual(sorted(server.output().splitlines()), sorted(out.splitlines()))
        self.assertEqual(set(server.output("stderr").splitlines()[1:]), {"tick"})


class BehindTest(ClientTest):
    def test_a_sender_makes_no_pause_while_it_is_behind(self):
        server = self.serve()
        process = self.start(
            "martlet.init('p', mode='offline')\nfor _ in range(10): print('x' * 200_000)\n"
            "sys.stderr.write('ready'); sys.stderr.flush(); sys.stdin.readline()",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: self.spools() and _console.segments(self.spools()[0].removesuffix(".spool")))
        (spool,) = self.spools()
        path = _console.segment(spool.removesuffix(".spool"), 0)
        wait_for(lambda: os.path.getsize(path) > 2_000_000)
        behind = []

        def pause(sender, aside, _):
            behind.append(aside.behind)
            sender.leaving = True

        sender = Sender(spool, self.environment)
        self.addCleanup(sender.tail.close)
        with mock.patch.object(Sender, "_pause", pause), self.assertRaises(CutOff):
            sender.work()
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertEqual(behind, [False])
        self.assertGreater(len(server.output()), 2_000_000 - PIECE - 200_001)

    def test_sync_leaves_a_program_that_prints_all_the_time(self):
        server = self.serve()
        process = self.start(
            "martlet.init('p', mode='offline')\nthreading.Thread(target=sys.stdin.readline).start()\n"
            "while threading.active_count() > 1: print('line'); time.sleep(0.0005)",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: self.spools() and ConsoleTail(self.spools()[0].removesuffix(".spool")).mark()[1] > 1000)
        command = [sys.executable, "-m", "martlet", "sync"]
        done = subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True, timeout=2 * PATIENCE
        )
        self.assertIn("its program still runs", done.stdout)
        self.assertIsNone(process.poll())
        process.communicate("\n", timeout=2 * PATIENCE)
        self.assertIn("line", server.output())


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
