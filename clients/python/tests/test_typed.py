"""Pictures, sounds, histograms, tables and files: the bytes and the JSON that they become."""

import array
import datetime
import decimal
import fractions
import hashlib
import io
import json
import math
import os
import pathlib
import struct
import tempfile
import unittest
import wave
import zlib
from unittest import mock

import support  # noqa: F401  (puts the client on the path)
from martlet import Audio, File, Histogram, Html, Image, Table, Video, _typed, _values
from martlet._typed import Blobs, encoded
from martlet._values import Unloggable

try:
    import numpy
except ImportError:
    numpy = None

GIF = b"GIF89a" + struct.pack("<HH", 3, 2) + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 5, 7) + b"\x01\x01\x11\0"


def pixels(png):
    """Width, height, channels and the samples of a PNG, read as the standard says."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", png, at + 8 + length)[0]
        if kind == b"IHDR":
            width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", body)
            assert rest == [0, 0, 0]
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    stride = width * channels * depth // 8
    raw, above, samples = zlib.decompress(data), bytes(stride), []
    assert len(raw) == height * (stride + 1)
    for row in range(height):
        line = raw[row * (stride + 1) :][: stride + 1]
        above = bytes((a + (b if line[0] == 2 else 0)) & 255 for a, b in zip(line[1:], above))
        samples.extend(struct.unpack(f">{stride // 2}H", above) if depth == 16 else above)
    return width, height, channels, samples


class TypedTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def encode(self, value):
        """The row's JSON, and the bytes of its blob."""
        blobs = Blobs(self.directory)
        found = json.loads(json.dumps(_values.plain(encoded(value, blobs))))
        content = None
        if "blob" in found:
            with open(os.path.join(self.directory, "blobs", found["blob"]), "rb") as file:
                content = file.read()
            self.assertEqual(hashlib.sha256(content).hexdigest(), found["blob"])
            self.assertEqual((found["size"], blobs.kept[found["blob"]]), (len(content), len(content)))
        return found, content

    def refused(self, value, words):
        with self.assertRaisesRegex(Unloggable, words):
            self.encode(value)
        folder = os.path.join(self.directory, "blobs")
        parts = [name for name in os.listdir(folder) if name.endswith(".part")] if os.path.exists(folder) else []
        self.assertEqual(parts, [])

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path


class ImageTest(TypedTest):
    def picture(self, value):
        found, png = self.encode(Image(value))
        self.assertEqual((found["_type"], found["media_type"]), ("image", "image/png"))
        width, height, channels, samples = pixels(png)
        self.assertEqual((found["width"], found["height"]), (width, height))
        return width, height, channels, samples

    def test_nested_lists(self):
        self.assertEqual(self.picture([[0, 128, 300], [-5, 255, 1]]), (3, 2, 1, [0, 128, 255, 0, 255, 1]))
        self.assertEqual(self.picture([[0.0, 0.5], [1.0, math.nan]]), (2, 2, 1, [0, 128, 255, 0]))
        self.assertEqual(self.picture([[0.0, 10.5, math.inf]]), (3, 1, 1, [0, 11, 255]))
        self.assertEqual(self.picture([[True, False]]), (2, 1, 1, [255, 0]))
        self.assertEqual(self.picture([[[1, 2, 3], [4, 5, 6]]]), (2, 1, 3, [1, 2, 3, 4, 5, 6]))
        self.assertEqual(self.picture([[[1, 2, 3, 4]], [[5, 6, 7, 8]]])[:3], (1, 2, 4))
        planes = [[[c * 10 + x for x in range(5)]] for c in range(3)]  # channels first
        self.assertEqual(self.picture(planes), (5, 1, 3, [c * 10 + x for x in range(5) for c in range(3)]))

    def test_what_is_no_picture_is_told(self):
        for wrong in ([], [[]], [1, 2], [[[[1]]]], [[[1] * 7] * 9] * 9, 5):
            self.refused(Image(wrong), "is no picture")
        self.refused(Image([[1, 2], [3]]), "another length")
        self.refused(Image(b"no picture at all"), "of no known image format")
        self.refused(Image(self.file("a.txt", b"text")), "of no known image format")
        with self.assertRaises(OSError):
            self.encode(Image("/no/such/file.png"))

    def test_files_and_bytes_stay_as_they_are(self):
        for name, content, kind, size in (("a.gif", GIF, "image/gif", (3, 2)), ("b", JPEG, "image/jpeg", (7, 5))):
            path = self.file(name, content)
            for source in (path, pathlib.Path(path)):
                found, kept = self.encode(Image(source, caption="c"))
                self.assertEqual((kept, found["media_type"], found["name"]), (content, kind, name))
                self.assertEqual((found["width"], found["height"], found["caption"]), (*size, "c"))
            found, kept = self.encode(Image(bytearray(content), name="x"))
            self.assertEqual((kept, found["name"]), (content, "x"))

    def test_what_saves_itself_is_asked_to(self):
        class Picture:  # as PIL's
            def save(self, file, format):  # noqa: A002
                assert format == "PNG"
                file.write(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 4, 3))

        class Figure:  # as Matplotlib's
            def savefig(self, file, format):  # noqa: A002
                Picture().save(file, format.upper())

        for one in (Picture(), Figure()):
            found, _ = self.encode(Image(one))
            self.assertEqual((found["width"], found["height"], found["media_type"]), (4, 3, "image/png"))

    def test_tensors_have_their_channels_first(self):
        """By the methods of PyTorch, which is far too large to install for this."""

        class Tensor:
            def __init__(self, content):
                self.content = content

            def detach(self):
                return self

            def cpu(self):
                return self

            def numel(self):
                return 36

            def numpy(self):
                raise RuntimeError("Numpy is not available")

            def tolist(self):
                return self.content

        three = [[[c * 9 + y * 3 + x for x in range(3)] for y in range(3)] for c in range(3)]
        expected = [c * 9 + i for i in range(9) for c in range(3)]
        self.assertEqual(self.picture(Tensor(three)), (3, 3, 3, expected))
        self.assertEqual(self.picture(three)[3], list(range(27)), "lists have them last")

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_arrays(self):
        rng = numpy.random.default_rng(1)
        grey = rng.integers(0, 256, (7, 5), dtype="u1")
        self.assertEqual(self.picture(grey), (5, 7, 1, grey.ravel().tolist()))
        for channels in (1, 2, 3, 4):
            colour = rng.integers(0, 256, (6, 9, channels), dtype="u1")
            for form in (colour, numpy.asfortranarray(colour), colour[::-1][::-1], colour.transpose(2, 0, 1)):
                self.assertEqual(self.picture(form), (9, 6, channels, colour.ravel().tolist()))
        deep = rng.integers(0, 65536, (4, 3), dtype="u2")
        self.assertEqual(self.picture(deep), (3, 4, 1, deep.ravel().tolist()))
        for kind in ("f2", "f4", "f8"):
            unit = numpy.array([[0, 0.5, 1, numpy.nan]], dtype=kind)
            self.assertEqual(self.picture(unit)[3], [0, 128, 255, 0])
            self.assertEqual(self.picture(numpy.array([[-3, 7, 300]], dtype=kind))[3], [0, 7, 255])
        self.assertEqual(self.picture(numpy.array([[-3, 7, 300]]))[3], [0, 7, 255])
        self.assertEqual(self.picture(grey > 128)[3], [255 * int(v > 128) for v in grey.ravel()])
        self.refused(Image(numpy.zeros((2, 2), dtype=complex)), "complex128 is no picture")


class SoundTest(TypedTest):
    def sound(self, value, rate=8000):
        found, content = self.encode(Audio(value, rate))
        with wave.open(io.BytesIO(content)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes())
            samples = array.array({1: "B", 2: "h", 4: "i"}[file.getsampwidth()], file.readframes(10**6))
        self.assertEqual((found["_type"], found["media_type"]), ("audio", "audio/wav"))
        self.assertEqual(found["duration_s"], shape[3] / rate)
        return shape, list(samples)

    def test_samples_become_a_wav_file(self):
        expected = ((1, 2, 8000, 5), [0, 16384, -32767, 32767, 0])
        self.assertEqual(self.sound([0.0, 0.5, -1.0, 7.5, math.nan]), expected)
        self.assertEqual(self.sound([[1, 2], [3, 4], [5, 6]]), ((2, 2, 8000, 3), [1, 2, 3, 4, 5, 6]))
        self.assertEqual(self.sound([[1] * 50, [2] * 50])[1], [1, 2] * 50)
        self.refused(Audio([0.5]), "need their rate")
        self.refused(Audio([100_000], 8000), "integers of 16 bits")
        self.refused(Audio([[[1]]], 8000), "is no sound")

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_arrays(self):
        for kind, width in (("i2", 2), ("i4", 4), ("u1", 1)):
            samples = numpy.arange(10, dtype=kind).reshape(5, 2)
            self.assertEqual(self.sound(samples), ((2, width, 8000, 5), list(range(10))))
        self.assertEqual(self.sound(numpy.array([0.5, -2, numpy.nan], dtype="f4"))[1], [16384, -32767, 0])
        self.refused(Audio(numpy.zeros(3, dtype="i8"), 8000), "samples of int64 are none")

    def test_files_stay_as_they_are(self):
        found, content = self.encode(Audio(b"fLaC....", caption="c"))
        self.assertEqual((content, found["media_type"], found["caption"]), (b"fLaC....", "audio/flac", "c"))
        self.assertNotIn("duration_s", found)


class FileTest(TypedTest):
    def test_films_pages_and_files(self):
        mp4 = b"\0\0\0\x18ftypmp42"
        self.assertEqual(self.encode(Video(mp4))[0]["media_type"], "video/mp4")
        self.assertEqual(self.encode(Video(self.file("v.webm", b"\x1aE\xdf\xa3")))[0]["name"], "v.webm")
        self.refused(Video([[1]]), "the path or the bytes")
        page, content = self.encode(Html("<p>é</p>"))
        self.assertEqual((page["_type"], page["media_type"], content), ("html", "text/html", "<p>é</p>".encode()))
        path = self.file("p.html", b"<b>")
        for source in (path, pathlib.Path(path)):
            self.assertEqual(self.encode(Html(source))[1], b"<b>")
        self.refused(Html(3), "text or a path")
        found, content = self.encode(File(self.file("weights.bin", b"abc")))
        self.assertEqual(
            found,
            {
                "_type": "file",
                "blob": hashlib.sha256(b"abc").hexdigest(),
                "size": 3,
                "media_type": "application/octet-stream",
                "name": "weights.bin",
            },
        )
        self.assertEqual(self.encode(File(b"a,b", name="x.csv"))[0]["media_type"], "text/csv")
        self.refused(File(3), "bytes or a path")

    def test_what_is_too_large_is_told_before_it_is_copied(self):
        with mock.patch.object(_typed, "MOST_BYTES", 10):
            self.refused(File(self.file("big", b"x" * 11)), "11 bytes is too large to log, 10 are the limit")
            self.refused(File(b"x" * 11), "too large")
            self.encode(File(b"x" * 10))

    def test_typed_values_stand_anywhere_in_a_row(self):
        blobs = Blobs(self.directory)
        row = encoded({"all": [Html("a"), {"b": (Html("b"), 1)}], "n": 1}, blobs)
        self.assertEqual(row["all"][1]["b"][0]["_type"], "html")
        self.assertEqual(len(blobs.kept), 2)
        loop = []
        loop.append(loop)
        encoded({"loop": loop}, blobs)  # ends; that it cannot be kept is said later


class HistogramTest(TypedTest):
    def test_of_values(self):
        found, _ = self.encode(Histogram([[0, 1], [1, 2, math.nan], math.inf, 4], bins=4, caption="w"))
        expected = {"_type": "histogram", "edges": [0, 1, 2, 3, 4], "counts": [1, 2, 1, 1], "caption": "w"}
        self.assertEqual(found, expected)
        one, _ = self.encode(Histogram([5.0] * 3, bins=2))
        self.assertEqual((one["edges"], one["counts"]), ([4.5, 5.0, 5.5], [0, 3]))
        wide, _ = self.encode(Histogram([-1.7e308, 1.7e308], bins=2))
        self.assertEqual((wide["edges"], wide["counts"]), ([-1.7e308, 0.0, 1.7e308], [1, 1]))
        many, _ = self.encode(Histogram(iter(range(128))))
        self.assertEqual((many["counts"], many["edges"][-1]), ([2] * 64, 127))

    def test_given(self):
        found, _ = self.encode(Histogram(counts=[1, 2.5], edges=(0, 1, 2)))
        self.assertEqual((found["counts"], found["edges"]), ([1, 2.5], [0, 1, 2]))
        self.refused(Histogram(counts=[1], edges=[0, 1, 2]), "1 counts need 2 edges")
        self.refused(Histogram(counts=[1, 1], edges=[0, 0, 2]), "edges ascend")
        self.refused(Histogram(counts=[-1], edges=[0, 1]), "not negative")
        self.refused(Histogram(counts=[math.nan], edges=[0, 1]), "not negative")
        self.refused(Histogram(), "takes values")
        self.refused(Histogram([]), "no finite values")
        self.refused(Histogram([math.nan]), "no finite values")
        self.refused(Histogram([1], bins=0), "1 to 4096 bins")

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_arrays_are_counted_as_lists_are(self):
        values = numpy.random.default_rng(3).normal(size=(50, 20))
        values[0, :3] = (numpy.nan, numpy.inf, -numpy.inf)
        for kind in ("f8", "f4", "f2"):
            some = values.astype(kind)
            of_array, of_list = self.encode(Histogram(some))[0], self.encode(Histogram(some.tolist()))[0]
            self.assertEqual(of_array["edges"], of_list["edges"])
            self.assertEqual((sum(of_array["counts"]), sum(of_list["counts"])), (997, 997))
            moved = sum(abs(a - b) for a, b in zip(of_array["counts"], of_list["counts"]))
            self.assertLessEqual(moved, 4)  # values that lie on an edge within rounding
        self.assertEqual(self.encode(Histogram(numpy.array([True, False, True]), bins=2))[0]["counts"], [1, 2])
        self.assertEqual(self.encode(Histogram(numpy.arange(4, dtype="u1"), bins=2))[0]["counts"], [2, 2])
        given = Histogram(counts=numpy.array([1, 2]), edges=numpy.array([0.0, 0.5, 1.0]))
        self.assertEqual(self.encode(given)[0]["counts"], [1, 2])
        self.refused(Histogram(numpy.array(["a"])), "has no histogram")


class TableTest(TypedTest):
    def test_small_ones_stand_in_the_row(self):
        table = Table(["word", "p"], [["a", 0.5], ("b", math.nan)])
        table.add("c", None)
        table.add({"p": 1})
        found = encoded(table, Blobs(self.directory))
        self.assertEqual(found["columns"], ["word", "p"])
        self.assertEqual([row[0] for row in found["rows"]], ["a", "b", "c", None])
        self.assertTrue(math.isnan(found["rows"][1][1]))
        records, _ = self.encode(Table(data=[{"a": 1, "b": 2}, {"c": 3}]))
        self.assertEqual((records["columns"], records["rows"]), (["a", "b", "c"], [[1, 2, None], [None, None, 3]]))
        self.refused(Table(["a"], [[1, 2]]), "row 1 of the table has 2 cells for 1 columns")
        self.refused(Table(), "names of its columns")
        self.refused(Table(["a"], [[object()]]), "neither a number nor text")

    def test_large_ones_are_files(self):
        rows = [[i, i / 7 if i else math.inf, f"text {i}"] for i in range(5_000)]
        found, content = self.encode(Table(["i", "x", "t"], rows))
        self.assertEqual((found["rows"], found["columns"]), (5_000, ["i", "x", "t"]))
        self.assertEqual(found["media_type"], "application/json")
        whole = json.loads(content, parse_constant=self.fail)
        self.assertEqual(
            (whole["columns"], whole["rows"][0][1], whole["rows"][7]), (["i", "x", "t"], "Infinity", rows[7])
        )

    def test_cells_may_be_pictures(self):
        found, _ = self.encode(Table(["n", "picture"], [[i, Image([[i]])] for i in range(2)]))
        self.assertEqual([row[1]["_type"] for row in found["rows"]], ["image", "image"])
        self.assertEqual(len(os.listdir(os.path.join(self.directory, "blobs"))), 2)

    def test_frames(self):
        class Pandas:
            columns = ("a", 1)

            def itertuples(self, index, name):
                assert (index, name) == (False, None)
                return iter([(1, "x"), (2, "y")])

        class Polars:
            columns = ("a", "1")

            def rows(self):
                return [(1, "x"), (2, "y")]

        for frame in (Pandas(), Polars()):
            for table in (Table(frame), Table(data=frame)):
                found, _ = self.encode(table)
                self.assertEqual((found["columns"], found["rows"]), (["a", "1"], [[1, "x"], [2, "y"]]))

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_arrays_are_rows(self):
        found, _ = self.encode(Table(["a", "b"], numpy.array([[1, 2], [3, 4]])))
        self.assertEqual(found["rows"], [[1, 2], [3, 4]])


class PlainTest(unittest.TestCase):
    def test_vectors_and_matrices_have_a_limit(self):
        self.assertEqual(_values.plain([[1.0, 2.0], (3, 4)]), [[1.0, 2.0], [3, 4]])
        self.assertEqual(len(_values.plain([0.5] * 99_000)), 99_000)
        for large in ([0.5] * 100_001, [[1.0] * 1000] * 101, {str(i): 1 for i in range(100_001)}):
            with self.assertRaisesRegex(Unloggable, "too large to log"):
                _values.plain(large)

    def test_dates_are_texts(self):
        moment = datetime.datetime(2026, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        self.assertEqual(_values.plain([moment, moment.date()]), ["2026-02-03T04:05:00+00:00", "2026-02-03"])

    def test_types_of_numbers_are_learnt_once(self):
        for kind in (bool, decimal.Decimal, complex, str):
            _values.learn(kind)
            self.assertNotIn(kind, _values.NUMBERS)
        _values.learn(fractions.Fraction)
        self.addCleanup(_values.NUMBERS.discard, fractions.Fraction)
        self.assertIn(fractions.Fraction, _values.NUMBERS)

    def test_names_are_checked(self):
        for wrong, words in (("", "needs a name"), ("a\nb", "control"), ("\x7f", "control"), ("é" * 257, "512 bytes")):
            with self.assertRaisesRegex(Unloggable, words):
                _values.name_of(wrong)
        self.assertEqual(_values.name_of("é" * 256), "é" * 256)
        self.assertEqual(_values.name_of(7), "7")


if __name__ == "__main__":
    unittest.main()
