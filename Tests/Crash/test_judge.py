#!/usr/bin/env python3
"""The judge of the crash tests sees what is wrong: else its silence would say nothing."""

from __future__ import annotations

import math
import os
import random
import shutil
import tempfile
import threading
import unittest
from typing import Any

from tracking.case import PlaceTest
from tracking.logged import STRIDE, Note, Noted, Notes, Row, Steps, read_notes, row
from tracking.verdict import Verdict, judge
from tracking.writer import Writer

ROWS = 200


class JudgeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.rows = [row(7, writer, index, Steps.REPEATED) for index in range(ROWS) for writer in (0, 1)]
        self.noted = {writer: Noted(frozenset(range(ROWS)), frozenset(), frozenset()) for writer in (0, 1)}

    def judge(self) -> Verdict:
        return judge("run", 7, Steps.REPEATED, self.noted.items(), self.rows)

    def test_what_is_right_is_right(self) -> None:
        verdict = self.judge()
        self.assertEqual((verdict.faults, verdict.lost, verdict.doubled), ([], 0, 0))
        self.assertEqual((verdict.logged, verdict.stored), (2 * ROWS, 2 * ROWS))
        self.assertTrue(verdict.is_good)

    def test_a_lost_row(self) -> None:
        for gone in (0, 79, 399):  # the second is one of texts alone
            with self.subTest(gone=gone):
                rows = list(self.rows)
                del self.rows[gone]
                self.assertEqual((self.judge().lost, self.judge().is_good), (1, False))
                self.rows = rows

    def test_a_doubled_row(self) -> None:
        self.rows.append(self.rows[-1])
        self.assertEqual((self.judge().lost, self.judge().doubled, self.judge().is_good), (0, 1, False))

    def test_a_row_that_may_or_may_not_be_there(self) -> None:
        self.noted[1] = Noted(frozenset(range(ROWS - 1)), frozenset([ROWS - 1]), frozenset())
        self.assertTrue(self.judge().is_good)
        self.rows.pop()
        self.assertTrue(self.judge().is_good)

    def test_a_row_that_nobody_logged(self) -> None:
        for stranger in (Row(0, {"loss": 1.0}), row(7, 0, ROWS, Steps.REPEATED), row(7, 2, 0, Steps.REPEATED)):
            with self.subTest(stranger=stranger):
                self.rows.append(stranger)
                self.assertFalse(self.judge().is_good)
                self.rows.pop()

    def test_a_row_that_was_dropped_must_not_be_there(self) -> None:
        self.noted[0] = Noted(frozenset(range(ROWS)) - {5}, frozenset(), frozenset([5]))
        self.assertEqual(self.judge().faults, ["run: row 5 of writer 0 was dropped"])

    def test_a_changed_value(self) -> None:
        number, (step, values) = 0, self.rows[0]
        self.assertEqual((repr(values["strange"]), values["n"]), ("nan", number))
        changes: list[dict[str, Any]] = [
            {"strange": 0.0},
            {"loss": math.nextafter(values["loss"], 9)},
            {"n": None},
            {"new": 1.0},
        ]
        for change in changes:
            with self.subTest(change=change):
                self.rows[0] = Row(step, {**values, **change})
                self.assertFalse(self.judge().is_good)
        self.rows[0] = Row(step + 1, values)
        self.assertFalse(self.judge().is_good)

    def test_zeros_have_a_sign_and_names_of_numbers_are_numbers(self) -> None:
        minus, infinite = 2 * 15, 2 * 5
        self.assertEqual(repr(self.rows[minus].values["strange"]), "-0.0")
        self.rows[infinite].values["strange"] = "Infinity"
        self.assertTrue(self.judge().is_good)
        self.rows[minus].values["strange"] = 0.0
        self.assertFalse(self.judge().is_good)

    def test_another_order(self) -> None:
        self.rows[10], self.rows[12] = self.rows[12], self.rows[10]
        self.assertEqual(self.judge().faults, ["run: row 5 of writer 0 stands behind row 6"])
        self.assertEqual(STRIDE, 10_000_000)


class WriterTest(PlaceTest):
    def test_a_store_that_forgets_what_it_acknowledged_is_noticed(self) -> None:
        """An older copy is put in its place while the server is down."""
        writer = Writer(self.server, random.Random(1), "writer", threading.Event())
        copy = self.place.path("copy")
        self.serve()
        writer.start()
        self.wait_for(lambda: writer.acknowledged > 100, "the first rows")
        self.server.end()
        shutil.copytree(self.server.data, copy)
        remembered = writer.sent  # some of them may be stored although nobody heard so
        self.serve()
        self.wait_for(lambda: writer.acknowledged > remembered + 100, "more rows")
        self.assertEqual(writer.faults, [])
        self.server.end()
        shutil.rmtree(self.server.data)
        shutil.copytree(copy, self.server.data)
        self.serve()
        self.wait_for(lambda: writer.faults, "what the writer says")
        writer.join()
        self.assertRegex(writer.faults[0], r"writer: \d+ rows were acknowledged, now it wants row \d+")
        self.assertGreater(writer.verdict().lost, 0)


class NotesTest(unittest.TestCase):
    def test_what_returned_what_may_be_and_what_was_dropped(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "notes")
            notes = Notes(path)
            for index, after in ((0, Note.AFTER), (1, Note.DROPPED), (2, None)):
                notes.add(index, Note.BEFORE)
                if after is not None:
                    notes.add(index, after)
            with open(path, "ab") as file:
                file.write(b"\1\0")  # a note that was cut off
            self.assertEqual(read_notes(path), Noted(frozenset([0]), frozenset([2]), frozenset([1])))


if __name__ == "__main__":
    unittest.main(verbosity=2)
