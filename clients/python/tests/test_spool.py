"""The spool's format, byte by byte: what is written, and what a torn or damaged file still gives."""

import errno
import fcntl
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import rows
import support  # noqa: F401  (puts the client on the path)
from martlet._spool import INFO, POINTS, ROW, Spool, records
from martlet._tail import NotASpool, Tail


class SpoolTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def spool(self, client="c" * 32):
        spool = Spool(
            self.directory, client, {"run": "k2f9a0xy", "url": "http://x", "outside": False, "finish": False}, 5
        )
        self.addCleanup(spool.close)
        return spool

    def points(self, spool, step, **values):
        ids = spool.ids(tuple(values), step)
        spool.row(POINTS, step, step, ids + struct.pack(f"<{len(values)}d", *values.values()))

    def written(self):
        """A spool of four rows with ever new names."""
        spool = self.spool()
        for i in range(3):
            self.points(spool, i, **{"loss": i / 7, f"new{i}": -i})
        spool.row(ROW, 3, 3, b'{"note": "x", "loss": NaN}')
        with open(spool.path, "rb") as file:
            return spool.path, file.read()

    def test_the_bytes_are_those_of_the_document(self):
        spool = self.spool()
        self.points(spool, -1, loss=0.5)
        with open(spool.path, "rb") as file:
            whole = file.read()
        found, at = [], 0
        while at < len(whole):
            length, crc = struct.unpack_from("<II", whole, at)
            body = whole[at + 8 : at + 8 + length]
            self.assertEqual((len(body), zlib.crc32(body)), (length, crc))
            found.append((*struct.unpack_from("<QqqB", body), body[25:]))
            at += 8 + length
        self.assertEqual([f[:4] for f in found], [(0, 0, 5, INFO), (0, 0, -1, INFO), (0, -1, -1, POINTS)])
        first = json.loads(found[0][4])
        self.assertEqual(
            first,
            {"format": 1, "client": "c" * 32, "run": "k2f9a0xy", "url": "http://x", "outside": False, "finish": False}
            | {"lock": True, "pid": os.getpid()},
        )
        self.assertEqual(json.loads(found[1][4]), {"names": {"loss": 0}})
        self.assertEqual(found[2][4], struct.pack("<Id", 0, 0.5))
        self.assertEqual(os.stat(spool.path).st_mode & 0o777, 0o600)

    def test_a_torn_tail_at_every_byte_gives_the_rows_before_it(self):
        path, whole = self.written()
        rows = [(record.end, record.seq) for record in records(path, 0) if record.kind in (POINTS, ROW)]
        self.assertEqual(([seq for _, seq in rows], rows[-1][0]), (list(range(4)), len(whole)))
        torn = os.path.join(self.directory, "torn.spool")
        for cut in range(len(whole)):
            for garbage in (b"", b"\0" * 40):  # what a file system may leave behind a cut
                left = whole[:cut] + garbage
                with open(torn, "wb") as file:
                    file.write(left)
                there = [seq for end, seq in rows if left[:end] == whole[:end]]
                found = [r.seq for r in records(torn, 0) if r.kind in (POINTS, ROW)]
                self.assertEqual(found, there, f"cut at {cut}")

    def test_a_flipped_byte_ends_what_can_be_read(self):
        path, whole = self.written()
        sound = list(records(path, 0))
        damaged = os.path.join(self.directory, "damaged.spool")
        for at in range(len(whole)):
            with open(damaged, "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
            self.assertEqual(list(records(damaged, 0)), [record for record in sound if record.end <= at])

    def test_what_is_no_spool_is_refused(self):
        for content in (b"", b"x" * 100):
            path = os.path.join(self.directory, "no.spool")
            with open(path, "wb") as file:
                file.write(content)
            with self.assertRaises(NotASpool):
                Tail(path)

    def test_a_full_disk_costs_rows_but_no_numbers(self):
        spool = self.spool()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))  # a short write and then EFBIG, as a full disk gives
        dropped = 0
        try:
            for i in range(100):
                try:
                    self.points(spool, i, a=i)
                    self.points(spool, i, **{f"new{i}": 1})
                except OSError as error:
                    self.assertIn(error.errno, (errno.EFBIG, errno.ENOSPC))
                    dropped += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertGreater(dropped, 10)
        self.points(spool, 1000, a=7, new99=2)
        found = [record for record in records(spool.path, 0) if record.kind == POINTS]
        self.assertEqual([record.seq for record in found], list(range(len(found))))
        self.assertEqual(found[-1].step, 1000)
        self.assertEqual(found[-1].end, os.path.getsize(spool.path))

    def test_an_interruption_anywhere_neither_skips_nor_repeats_a_number(self):
        """KeyboardInterrupt before, inside and after the write, at each line of the writer."""
        spool = self.spool()
        logged = 0
        for line in range(60):
            count = 0

            def trace(frame, event, _):
                nonlocal count
                if frame.f_code.co_filename.endswith("_spool.py") and event == "line":
                    count += 1
                    if count == line:  # noqa: B023
                        raise KeyboardInterrupt
                return trace

            sys.settrace(trace)
            try:
                self.points(spool, line, **{"a": 1, f"n{line}": 2})
            except KeyboardInterrupt:
                logged += 1
            finally:
                sys.settrace(None)
        self.assertGreater(logged, 20)
        self.points(spool, 1000, a=1)
        rows = [record for record in records(spool.path, 0) if record.kind == POINTS]
        self.assertEqual([row.seq for row in rows], list(range(len(rows))))
        self.assertEqual(rows[-1].end, os.path.getsize(spool.path))
        steps = [row.step for row in rows]
        self.assertEqual(len(steps), len(set(steps)))

    def test_the_lock_tells_whether_the_client_lives(self):
        spool = self.spool()
        tail = Tail(spool.path)
        self.assertTrue(tail.client_lives())
        spool.close()
        self.assertFalse(tail.client_lives())

    def test_without_locks_the_process_id_tells(self):
        from unittest import mock

        with mock.patch.object(fcntl, "flock", side_effect=OSError(errno.ENOSYS, "no locks here")):
            spool = self.spool()
        process = subprocess.Popen(["sleep", "60"])
        tail = Tail(spool.path)
        tail.first["pid"] = process.pid
        self.assertTrue(tail.client_lives())
        process.kill()
        process.wait()
        self.assertFalse(tail.client_lives())

    def test_a_later_definition_of_a_name_holds_for_what_follows(self):
        spool = self.spool()
        spool.info({"names": {"a": 0}}, 0)
        spool.row(POINTS, 0, 0, struct.pack("<Id", 0, 1.0))
        spool.info({"names": {"b": 0}}, 0)
        spool.row(POINTS, 1, 0, struct.pack("<Id", 0, 2.0))
        found = [row["values"] for row in rows.decode(Tail(spool.path).read().body)]
        self.assertEqual(found, [{"a": 1.0}, {"b": 2.0}])


if __name__ == "__main__":
    unittest.main()
