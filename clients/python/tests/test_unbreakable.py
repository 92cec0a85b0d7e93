"""What a training program may do to its client: nothing of it raises, waits, or leaves something behind."""

import copy
import glob
import os
import pickle
import signal
import sys
import unittest

from martlet import Config
from martlet._tail import NotASpool, Tail
from support import ClientTest, wait_for

ODD = """
import collections
class Keyless:
  def __getattr__(self, name): raise KeyError(name)
class Silent:
  def __str__(self): raise RuntimeError('no words')
  __repr__ = __str__
class Broken(collections.UserDict):
  def items(self): raise KeyError('no items')
loop = {}
loop['self'] = loop
listed = []
listed.append(listed)
"""


class GivenTest(ClientTest):
    def test_whatever_is_given_nothing_is_raised(self):
        server = self.serve()
        _, err = self.train(
            ODD + "run = martlet.init('p', config={'odd': Keyless(), 'loop': loop, 'silent': {Silent(): 1}})\n"
            "for value in (Broken(a=1), {'a': Keyless()}, {'a': loop}, {Silent(): 1}, {'a': Silent()}, 3,\n"
            "              {'h': martlet.Histogram(listed)}, {'p': martlet.Image(listed)}):\n"
            "  run.log(value)\n"
            "assert run.dropped == 8, run.dropped\n"
            "run.config.update({'later': Silent(), 'loop': [loop]})\n"
            "run.summary.update({'odd': Keyless(), 'loop': loop, 'silent': Silent(), 'fine': 1})\n"
            "run.define_metric(Silent())\n"
            "run.log({'fine': 1})\n"
            "class Deaf:\n"
            "  def write(self, text): raise KeyError(text)\n"
            "stderr, sys.stderr = sys.stderr, Deaf()\n"
            "run.log(3)\n"
            "sys.stderr = None\n"
            "run.log(3)\n"
            "sys.stderr = stderr\n"
            "run.finish(exit_code=Keyless(), reason=ValueError('\\udcff' + 'x' * 2000), state='done')\n"
        )
        (run,) = server.runs.values()
        self.assertEqual([row for row in server.values() if row], [{"fine": 1}], err)
        self.assertEqual(run["config"]["silent"], {"a Silent": 1})
        self.assertEqual((run["config"]["later"], run["summary"]), ("a Silent", {"fine": 1}))
        ((_, told),) = server.finishes
        self.assertEqual((told["exit_code"], told["state"]), (1, "failed"))
        self.assertEqual(told["reason"], "?" + "x" * 999)
        self.assertIn("a run ends as one of finished, failed, crashed, stopped, not 'done'", err)

    def test_a_beginning_in_odd_places(self):
        server = self.serve()
        os.mkdir(os.path.join(self.home, "gone"))
        # The directory is removed, an argument is no UTF-8, one tag is given as text, and so on.
        _, err = self.train(
            "import pathlib\n"
            "martlet.init('p').finish()\n"  # all is imported: Python 3.13.0 cannot do that where the directory is gone
            "os.chdir('gone'); os.rmdir('../gone')\n"
            "run = martlet.init('p', pathlib.Path('named'), tags='one', notes=3, group='\\udcff', resume='auto')\n"
            "assert run.dir == '/', run.dir\n"
            "run.log({'a': 1})\n",
            os.fsdecode(b"data-\xff"),
        )
        _, run = server.runs.values()
        self.assertEqual((run["name"], run["tags"], run["notes"], run["group"]), ("named", ["one"], "3", "?"), err)
        self.assertEqual((run["command"][-1], run["workdir"], server.steps()), ("data-?", "/", [0]))

    def test_variables_that_make_no_sense_stop_no_rows(self):
        server = self.serve()
        for timeout in ("1e300", "nan", "soon"):
            self.environment.update(MARTLET_HEARTBEAT="often", MARTLET_FINISH_TIMEOUT=timeout)
            _, err = self.train("martlet.init('p').log({'a': 1})")
            self.assertNotIn("could not be waited for", err)
        self.assertEqual(server.steps(), [0, 0, 0])

    def test_a_pipe_is_not_waited_for(self):
        server = self.serve()
        os.mkfifo(os.path.join(self.home, "pipe.png"))
        _, err = self.train(
            "run = martlet.init('p')\n"
            "for kind in (martlet.File, martlet.Image): run.log({'pipe': kind('pipe.png')})\n"
            "run.log({'zeros': martlet.File('/dev/zero'), 'folder': martlet.File('.'), 'a': 1})\n"
            "assert run.dropped == 4, run.dropped\n"
        )
        self.assertIn("pipe.png is no regular file", err)
        self.assertEqual([row for row in server.values() if row], [{"a": 1}])

    def test_a_configuration_can_be_copied_and_pickled(self):
        server = self.serve()
        self.train(
            "import copy, pickle\n"
            "class Model: pass\n"
            "run = martlet.init('p', config={'lr': 1, 'net': {'a': [1]}})\n"
            "model = Model(); model.run = run\n"
            "assert copy.deepcopy(model).run is run\n"
            "run.log({'loss': 2})\n"
            "assert copy.deepcopy(run.summary) == pickle.loads(pickle.dumps(run.summary)) == {'loss': 2}\n"
            "for mine in (copy.copy(run.config), copy.deepcopy(run.config), pickle.loads(pickle.dumps(run.config))):\n"
            "  mine.lr = 7\n"
            "  assert (run.config.lr, mine.lr, mine.net) == (1, 7, {'a': [1]}), mine\n"
        )
        (run,) = server.runs.values()
        self.assertEqual(run["config"], {"lr": 1, "net": {"a": [1]}})
        config = Config({"lr": 3}, {"lr": 1})
        for mine in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
            mine.lr = 2
            self.assertEqual(mine.lr, 1, "a sweep's parameter is one in a copy too")

    def test_a_sweeps_parameter_is_compared_with_anything(self):
        class Array:
            def __eq__(self, _):
                return self

            def __bool__(self):
                raise ValueError("the truth of an array is ambiguous")

            __hash__ = None

        config = Config({}, {"lr": 1})
        config.update(lr=Array())
        self.assertEqual(config.lr, 1)


class ProcessTest(ClientTest):
    def test_a_worker_of_multiprocessing_ends_its_run(self):
        server = self.serve()
        self.train(
            "import multiprocessing\n"
            "def work(k):\n"
            "  run = martlet.init('p', f'worker-{k}')\n"
            "  run.log({'k': k})\n"
            "  if k == 1: raise KeyError('broke')\n"
            "  if k == 2: sys.exit(7)\n"
            "context = multiprocessing.get_context('fork')\n"
            "mother = martlet.init('p', 'mother')\n"
            "for k in range(3):\n"
            "  worker = context.Process(target=work, args=(k,)); worker.start(); worker.join()\n"
            "mother.log({'k': 3})\n"
        )
        ends = {server.runs[run]["name"]: (told["state"], told.get("exit_code")) for run, told in server.finishes}
        self.assertEqual(
            ends,
            {
                "worker-0": ("finished", 0),
                "worker-1": ("failed", 1),
                "worker-2": ("failed", 7),
                "mother": ("finished", 0),
            },
        )
        self.assertEqual(len(server.finishes), 4)
        self.assertEqual([told["reason"] for _, told in server.finishes if "reason" in told], ["KeyError: 'broke'"])

    def test_a_thread_that_exits_ends_no_run(self):
        server = self.serve()
        self.train(
            "run = martlet.init('p')\nrun.log({'a': 1})\n"
            "thread = threading.Thread(target=sys.exit, args=(3,)); thread.start(); thread.join()\n"
        )
        self.assertEqual([(told["state"], told["exit_code"]) for _, told in server.finishes], [("finished", 0)])

    def test_a_sender_that_could_not_be_started_is_started_later(self):
        server = self.serve()
        process = self.start(
            "import martlet._delivery as d, martlet._run\nmartlet._run.LOOK_AFTER = 0\n"
            "honest, tries = d.Sender, []\n"
            "def failing(*given):\n"
            "  tries.append(given)\n"
            "  if len(tries) < 3: raise BlockingIOError('no more processes')\n"
            "  return honest(*given)\n"
            "d.Sender = failing\n"
            "run = martlet.init('p')\n"
            "while len(tries) < 3: run.log({'a': 1})\n"
            "print(flush=True); time.sleep(60)\n"
        )
        process.stdout.readline()
        wait_for(server.all_rows, "rows of a program that goes on")
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
        self.assertEqual(err.count("no sender could be started"), 1)
        wait_for(lambda: not self.senders())


class LeftTest(ClientTest):
    def test_what_a_sender_had_half_written_goes_with_the_spool(self):
        self.train("run = martlet.init('p', mode='offline', directory='out')\nrun.log({'a': 1})")
        (path,) = self.spools()
        stem = os.path.splitext(path)[0]
        for suffix in (".ack.new", ".run.new"):
            with open(stem + suffix, "w") as file:
                file.write('{"next')
        self.serve()
        self.train("from martlet.__main__ import main\nassert main(['sync', 'out']) == 0")
        self.assertEqual(glob.glob(os.path.join(self.home, "out", ".martlet*")), [])

    def test_files_of_two_machines_with_one_directory_do_not_meet(self):
        """Two containers have the same process ids."""
        folder = os.path.join(self.home, "out")
        keep = (
            "import subprocess, hashlib\nos.getpid = lambda: 1\n"
            "from martlet._typed import Blobs\n"
            "def pieces():\n"
            "  yield sys.argv[1].encode()\n"
            "  if len(sys.argv) > 2: subprocess.run([sys.executable, 'keep.py', 'other'], check=True)\n"
            "  yield b'!'\n"
            f"name = Blobs({folder!r}).keep(pieces())['blob']\n"
            f"with open(os.path.join({folder!r}, 'blobs', name), 'rb') as file:\n"
            "  assert hashlib.sha256(file.read()).hexdigest() == name\n"
        )
        with open(os.path.join(self.home, "keep.py"), "w") as file:
            file.write("import os, sys\n" + keep)
        self.train(keep, "mine", "first")
        self.assertEqual(len(os.listdir(os.path.join(folder, "blobs"))), 2)

    def test_what_is_no_spool_keeps_no_descriptor(self):
        path = os.path.join(self.home, "a" * 32 + ".spool")
        for content in (b"", b"no spool, but long enough for the head of a record of some kind"):
            with open(path, "wb") as file:
                file.write(content)
            before = sorted(os.listdir("/proc/self/fd"))
            for _ in range(5):
                with self.assertRaises(NotASpool):
                    Tail(path)
            self.assertEqual(sorted(os.listdir("/proc/self/fd")), before)


if __name__ == "__main__":
    assert sys.version_info >= (3, 9)
    unittest.main()
