"""What a sender reads out of a spool and posts: pieces that a strict decoder takes, whatever was cut or damaged."""

import json
import os
import resource
import struct
import tempfile
import unittest
from unittest import mock

import rows
import support  # noqa: F401  (puts the client on the path)
from martlet import _tail
from martlet._spool import END, INFO, POINTS, ROW, Spool, record, records
from martlet._tail import Tail

FIRST = {"run": "k2f9a0xy", "url": "http://x", "outside": False, "finish": False}


class PieceTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def spool(self):
        spool = Spool(self.directory, "c" * 32, FIRST, 5)
        self.addCleanup(spool.close)
        return spool

    def points(self, spool, step, **values):
        spool.points(spool.shape(tuple(values), step), step, step, values.values())

    def tail(self, path):
        tail = Tail(path)
        self.addCleanup(tail.close)
        return tail

    def all_of(self, tail):
        """Every row, piece by piece as a sender reads them, and what was told besides."""
        found, patch, blobs = [], {}, {}
        for _ in range(10_000):
            batch = tail.read()
            patch.update(batch.patch)
            blobs.update(batch.blobs)
            if batch.rows:
                piece = rows.decode(batch.body)
                self.assertEqual((len(piece), piece[0]["seq"]), (batch.rows, batch.first_seq))
                self.assertEqual(piece[-1]["seq"], batch.last_seq)
                found.extend(piece)
                tail.delivered(batch)
            if batch.complete:
                return found, patch, blobs
        raise AssertionError("it never ends")

    def test_a_piece_is_the_files_own_bytes_behind_the_names(self):
        spool = self.spool()
        self.points(spool, 1, a=1)
        self.points(spool, 2, a=2, b=3)
        spool.row(ROW, 3, 3, b'{"note": "x", "loss": NaN}')
        with open(spool.path, "rb") as file:
            whole = file.read()
        batch = self.tail(spool.path).read()
        begin = next(r.end for r in records(spool.path, 0) if r.kind == INFO and b"names" in r.payload)
        lead = record(INFO, 0, 0, 0, b'{"names": {"a": 0}}')
        self.assertEqual(batch.body, lead + whole[begin:])
        self.assertEqual([row["values"] for row in rows.decode(batch.body)][:2], [{"a": 1.0}, {"a": 2.0, "b": 3.0}])

    def test_a_spool_cut_at_any_byte_gives_the_rows_before_the_cut(self):
        spool = self.spool()
        for i in range(3):
            self.points(spool, i, **{"loss": i / 7, f"new{i}": -i})
        spool.info({"config": {"lr": 1}, "blobs": {"f" * 64: 3}}, 4)
        spool.row(ROW, 3, 3, b'{"note": "x"}')
        spool.end({"exit_code": 0}, 5)
        with open(spool.path, "rb") as file:
            whole = file.read()
        sound = list(records(spool.path, 0))
        torn = os.path.join(self.directory, "torn.spool")
        for cut in range(sound[0].end, len(whole) + 1):
            for garbage in (b"", b"\0" * 40, b"\xff" * 40):
                left = whole[:cut] + garbage
                with open(torn, "wb") as file:
                    file.write(left)
                there = [r.seq for r in sound if r.kind in (POINTS, ROW) and left[: r.end] == whole[: r.end]]
                tail = Tail(torn)
                found, patch, blobs = self.all_of(tail)
                self.assertEqual([row["seq"] for row in found], there, f"cut at {cut}")
                info = next(r.end for r in sound if r.kind == INFO and b"config" in r.payload)
                self.assertEqual((patch, blobs), ({"config": {"lr": 1}}, {"f" * 64: 3}) if cut >= info else ({}, {}))
                self.assertEqual(tail.ended, cut == len(whole))
                tail.close()

    def test_pieces_of_every_size_give_the_same_rows(self):
        spool = self.spool()
        for i in range(40):
            if i % 7:
                self.points(spool, i, **{"loss": i / 7, f"new{i % 11}": -i})
            else:
                spool.row(ROW, i, i, json.dumps({"text": "x" * (50 * i)}).encode())
        spool.end({}, 5)
        whole, _, _ = self.all_of(self.tail(spool.path))
        self.assertEqual([row["seq"] for row in whole], list(range(40)))
        for size in (64, 100, 777, 2048, 5000):
            with mock.patch.object(_tail, "PIECE", size):
                self.assertEqual(self.all_of(self.tail(spool.path))[0], whole, size)

    def test_a_sender_that_comes_later_begins_where_the_server_is(self):
        spool = self.spool()
        for i in range(10):
            self.points(spool, i, **{f"n{i}": i})
        tail = self.tail(spool.path)
        self.all_of(tail)
        tail.acknowledge()
        self.points(spool, 10, n3=1, n11=2)
        later = self.tail(spool.path)
        (row,) = self.all_of(later)[0]
        self.assertEqual((row["seq"], row["values"]), (10, {"n3": 1.0, "n11": 2.0}))
        later.rewind(4)
        self.assertEqual([row["seq"] for row in self.all_of(later)[0]], list(range(4, 11)))

    def test_of_thousands_of_names_a_few_rows_tell_those_that_they_use(self):
        spool = self.spool()
        self.points(spool, 0, **{f"layer{i}/weight/gradient": i for i in range(5_000)})
        tail = self.tail(spool.path)
        self.all_of(tail)
        self.points(spool, 1, **{"layer7/weight/gradient": 7})
        self.points(spool, 2, **{"layer8/weight/gradient": 8, "new": 1})
        batch = tail.read()
        self.assertLess(len(batch.body), 1_000)
        found = [row["values"] for row in rows.decode(batch.body)]
        self.assertEqual(found, [{"layer7/weight/gradient": 7}, {"layer8/weight/gradient": 8, "new": 1}])

    def test_numbers_that_change_their_names_are_called_by_the_name_of_the_moment(self):
        spool = self.spool()
        long = {f"{'x' * 400}{i}": i + 10 for i in range(100)}  # so that a piece tells only what it uses
        spool.info({"names": {"a": 0, "b": 1, **long}}, 0)
        spool.row(POINTS, 0, 0, struct.pack("<IIdd", 0, 1, 1.0, 2.0))
        spool.info({"names": {"c": 0, "d": 2}}, 0)
        spool.info({"names": {"d": 3}}, 0)  # a name of two numbers
        spool.row(POINTS, 1, 0, struct.pack("<Id", 0, 3.0))
        for size in (1 << 20, 180):
            with mock.patch.object(_tail, "PIECE", size):
                found = [row["values"] for row in self.all_of(self.tail(spool.path))[0]]
            self.assertEqual(found, [{"a": 1.0, "b": 2.0}, {"c": 3.0}])
        spool.row(POINTS, 2, 0, struct.pack("<Id", 2, 4.0))
        spool.row(POINTS, 3, 0, struct.pack("<Id", 3, 5.0))
        tail = self.tail(spool.path)
        with mock.patch.object(_tail, "PIECE", 120):
            self.assertEqual([row["values"] for row in self.all_of(tail)[0]][2:], [{"d": 4.0}, {"d": 5.0}])

    def test_what_is_told_in_parts_is_put_together(self):
        spool = self.spool()
        spool.info({"patch": {"tags": ["a"], "metrics": {"loss": {"goal": "minimize"}}}, "config": {"x": 1}}, 0)
        spool.info({"patch": {"tags": ["b"], "metrics": {"acc": {"hidden": True}}, "summary": {"best": 1}}}, 0)
        spool.info({"config": {"y": 2}, "patch": {"summary": {"best": None}}, "unknown": 1}, 0)
        _, patch, _ = self.all_of(self.tail(spool.path))
        self.assertEqual(
            patch,
            {
                "tags": ["b"],
                "metrics": {"loss": {"goal": "minimize"}, "acc": {"hidden": True}},
                "config": {"x": 1, "y": 2},
                "summary": {"best": None},
            },
        )

    def test_the_end_has_room_on_a_full_disk(self):
        spool = self.spool()
        self.points(spool, 0, a=1)
        room = spool.path.replace(".spool", ".room")
        self.assertGreater(os.path.getsize(room), 6_100)  # a reason of 1,000 characters, each escaped
        written, kinds = os.write, []

        def full(fd, data):
            kinds.append(data[32])
            if os.path.exists(room):
                raise OSError(28, "No space left on device")
            return written(fd, data)

        with mock.patch("martlet._spool.os.write", full):
            with self.assertRaises(OSError):
                self.points(spool, 1, a=2)
            spool.end({"exit_code": 0}, 2)
        self.assertEqual(kinds, [POINTS, END, END])
        tail = self.tail(spool.path)
        self.assertEqual(([row["step"] for row in self.all_of(tail)[0]], tail.end), ([0], {"exit_code": 0}))

    def test_a_spool_that_could_not_begin_leaves_nothing(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
        try:
            with self.assertRaises(OSError):
                self.spool()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertEqual(os.listdir(self.directory), [])


if __name__ == "__main__":
    unittest.main()
