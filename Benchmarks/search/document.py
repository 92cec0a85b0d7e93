"""Tables in Markdown, printed as they come and kept in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from search.scoring.scores import Interval


class Document:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def title(self, text: str) -> None:
        self._say(f"\n## {text}\n")

    def note(self, text: str) -> None:
        self._say(f"{text}\n")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            self.note("Nothing could be measured.")
            return
        self._say(_row(titles))
        self._say(_row(["---"] * len(titles)))
        for row in rows:
            self._say(_row(row))
        self._say("")

    def write(self, path: Path, about: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(about + "\n" + "\n".join(self._lines) + "\n", encoding="utf-8")

    def _say(self, text: str) -> None:
        self._lines.append(text)
        print(text, flush=True)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def interval(value: Optional[Interval], digits: int = 1, sign: str = "") -> str:
    """As 63.1 [52.0, 74.5]."""
    if value is None:
        return "–"
    low, mean, high = (f"{number:{sign}.{digits}f}" for number in value)
    return f"{mean} [{low}, {high}]"


def shown(number: Optional[float], digits: int = 3) -> str:
    """So many significant digits."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.{digits}g}"
