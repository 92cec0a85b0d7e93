"""What a program prints: it goes on as it did, and arrives at the server as well, each byte once."""

import os
import signal
import subprocess
import sys
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


if __name__ == "__main__":
    unittest.main()
