"""What was measured: tables on stdout as they come, and everything in one JSON file at the end."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Protocol, Union

from harness.settings import ROOT

Figure = Union[None, str, int, float]
Record = dict[str, Any]


class Wanted(Protocol):
    """What a report has to know of a benchmark's options."""

    @property
    def martlet(self) -> Path: ...

    @property
    def out(self) -> Path: ...

    def as_json(self) -> dict[str, Any]: ...


class Column(NamedTuple):
    """One figure of the records of a table."""

    title: str
    key: str
    digits: int = 3  # significant ones, of numbers below 100


class Aim(NamedTuple):
    what: str
    figure: Optional[float]
    limit: float
    is_least: bool  # the figure is to be at least the limit; else at most

    @property
    def is_reached(self) -> bool:
        if self.figure is None:
            return False
        return self.figure >= self.limit if self.is_least else self.figure <= self.limit


class Report:
    """Collects records, aims and failures; a failed cell is said at once and again at the end."""

    def __init__(self, options: Wanted, name: str) -> None:
        self.options = options
        self.name = name
        self.aims: list[Aim] = []
        self.failures: list[str] = []
        self._records: dict[str, list[Record]] = {}
        self._about = about(options)
        self._began = time.monotonic()
        self.heading = "\n".join(f"{key + ':':<9} {self._about[key]}" for key in ("martlet", "machine", "noise"))
        print(self.heading)

    @contextlib.contextmanager
    def cell(self, what: str) -> Iterator[None]:
        """Whatever goes wrong inside is this cell's failure, and the others are still measured."""
        print(f"  {time.monotonic() - self._began:5.0f} s  {what}", file=sys.stderr, flush=True)
        try:
            yield
        except Exception as error:
            if os.environ.get("TRACE"):
                traceback.print_exc()
            self.failed(f"{what}: {type(error).__name__}: {error}")

    def failed(self, what: str) -> None:
        self.failures.append(what)
        print(f"  FAILED {what}", file=sys.stderr, flush=True)

    def add(self, section: str, record: Record) -> None:
        self._records.setdefault(section, []).append({**record, "load": os.getloadavg()[0]})

    def records(self, section: str) -> list[Record]:
        return self._records.get(section, [])

    def at_least(self, what: str, figure: Optional[float], limit: float) -> None:
        self.aims.append(Aim(what, figure, limit, is_least=True))

    def at_most(self, what: str, figure: Optional[float], limit: float) -> None:
        self.aims.append(Aim(what, figure, limit, is_least=False))

    def title(self, text: str, *notes: str) -> None:
        print(f"\n{text}")
        for note in notes:
            print(f"  {note}")

    def table(self, columns: Sequence[Column], records: Iterable[Mapping[str, Any]]) -> None:
        rows = [[shown(record.get(column.key), column.digits) for column in columns] for record in records]
        if not rows:
            print("  nothing could be measured")
            return
        aligned([column.title for column in columns], rows)

    def close(self) -> int:
        """Prints aims and failures, writes the file; the program's exit status."""
        if self.aims:
            self.title("aims")
            rows = [
                [
                    aim.what,
                    shown(aim.figure),
                    f"{'≥' if aim.is_least else '≤'} {shown(aim.limit)}",
                    "reached" if aim.is_reached else "not measured" if aim.figure is None else "missed",
                ]
                for aim in self.aims
            ]
            aligned(["figure", "here", "aim", ""], rows)
        self.options.out.mkdir(parents=True, exist_ok=True)
        path = self.options.out / time.strftime("%Y%m%dT%H%M%SZ.json", time.gmtime())
        aims = [{**aim._asdict(), "reached": aim.is_reached} for aim in self.aims]
        content = {**self._about, "records": self._records, "aims": aims, "failures": self.failures}
        path.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
        print(f"\nall records: {path}")
        for failure in self.failures:
            print(f"{self.name}: FAILED {failure}", file=sys.stderr)
        return 1 if self.failures else 0


WORST = ("lost", "longest")


def medians(records: Iterable[Mapping[str, Any]], by: Sequence[str]) -> list[Record]:
    """One record for those that agree in `by`: the median of each number, the highest of those in WORST, and the last
    of everything else."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault(tuple(record.get(key) for key in by), []).append(record)
    return [_median(group) for group in groups.values()]


def _median(group: Sequence[Mapping[str, Any]]) -> Record:
    median: Record = {"repetitions": len(group)}
    for key in dict.fromkeys(key for record in group for key in record):
        found = [record[key] for record in group if record.get(key) is not None]
        numbers = [value for value in found if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if numbers and len(numbers) == len(found):
            median[key] = max(numbers) if key in WORST else statistics.median(numbers)
        else:
            median[key] = found[-1] if found else None
    return median


def find(records: Iterable[Record], **wanted: Any) -> Optional[Record]:
    return next((record for record in records if all(record.get(key) == value for key, value in wanted.items())), None)


def ratio(ours: Optional[float], theirs: Optional[float]) -> Optional[float]:
    return ours / theirs if ours is not None and theirs else None


def shown(figure: Figure, digits: int = 3) -> str:
    if figure is None:
        return "–"
    if isinstance(figure, str):
        return figure
    if isinstance(figure, int) or abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.{digits}g}"


def aligned(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Words to the left, figures to the right."""
    widths = [max(len(row[place]) for row in (titles, *rows)) for place in range(len(titles))]
    figures = [all(_is_figure(row[place]) for row in rows) for place in range(len(titles))]
    for row in (titles, *rows):
        cells = [
            cell.rjust(width) if is_figure else cell.ljust(width)
            for cell, width, is_figure in zip(row, widths, figures)
        ]
        print(("  " + "  ".join(cells)).rstrip(), flush=True)


def _is_figure(text: str) -> bool:
    return text == "–" or set(text) <= set("0123456789.,e+-")


def about(options: Wanted) -> dict[str, Any]:
    """What was measured, where, and how quiet it was."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "label": os.environ.get("LABEL", ""),
        "martlet": _martlet(options.martlet),
        "machine": f"{os.cpu_count()} cores, {_processor()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}",
        "noise": f"load {os.getloadavg()[0]:.2f}, others' pressure on the processors {_pressure()}",
        "options": options.as_json(),
    }


def _martlet(program: Path) -> str:
    label = os.environ.get("LABEL", "")
    if not program.exists():
        return f"{program}: not there"
    built = time.strftime("%Y-%m-%d %H:%M", time.gmtime(program.stat().st_mtime))
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    return f"{program}, built {built}, checkout {revision or 'unknown'}" + (f" ({label})" if label else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def _pressure() -> str:
    """The share of the last 10 s in which something waited for a processor."""
    try:
        first = Path("/proc/pressure/cpu").read_text(encoding="utf-8").split()
    except OSError:
        return "unknown"
    return first[1].partition("=")[2] + " %"
