"""Environment variables read as what a benchmark expects of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Settings:
    """The environment of one benchmark. Whatever is wrong in it ends the program with a sentence."""

    def __init__(self, benchmark: str) -> None:
        self._benchmark = benchmark

    def text(self, variable: str, usual: str = "") -> str:
        """An empty variable is as good as none."""
        return os.environ.get(variable) or usual

    def words(self, variable: str, usual: str = "") -> tuple[str, ...]:
        """Some, with commas between them."""
        return tuple(word.strip() for word in self.text(variable, usual).split(",") if word.strip())

    def chosen(self, variable: str, usual: str, known: Sequence[str]) -> tuple[str, ...]:
        """Some of those that are known."""
        words = self.words(variable, usual)
        for word in words:
            if word not in known:
                sys.exit(f"{self._benchmark}: {variable} knows no '{word}'; it takes some of {','.join(known)}")
        return words

    def peers(self, usual: str, known: Sequence[str]) -> tuple[str, ...]:
        """PEERS: some of those that are known, `all` or `none`."""
        word = self.text("PEERS")
        if word == "none":
            return ()
        return tuple(known) if word == "all" else self.chosen("PEERS", usual, known)

    def whole(self, variable: str, usual: int) -> int:
        """A number from 1 on."""
        return self._positive(variable, self.text(variable, str(usual)))

    def wholes(self, variable: str, usual: str) -> tuple[int, ...]:
        """One such number, or several with commas between them."""
        return tuple(self._positive(variable, word) for word in self.words(variable, usual))

    def ranges(self, variable: str, usual: str) -> tuple[int, ...]:
        """Numbers from 0 on, as 0-9, 3 or 0-2,7, each once."""
        numbers: list[int] = []
        for word in self.words(variable, usual):
            first, _, last = word.partition("-")
            if not first.isdecimal() or not (last or first).isdecimal():
                sys.exit(f"{self._benchmark}: {variable} takes numbers and ranges as 0-2,7, not '{word}'")
            numbers += range(int(first), int(last or first) + 1)
        return tuple(dict.fromkeys(numbers))

    def seconds(self, variable: str, usual: float, least: float, most: float) -> float:
        text = self.text(variable)
        try:
            number = float(text) if text else usual
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            sys.exit(f"{self._benchmark}: {variable} takes seconds from {least:g} to {most:g}, not '{text}'")
        return number

    def program(self) -> Path:
        """MARTLET: the program that is measured; it need not be there."""
        return Path(self.text("MARTLET") or ROOT / ".build" / "release" / "martlet").resolve()

    def out(self) -> Path:
        """OUT: the folder of what is kept."""
        return Path(self.text("OUT") or ROOT / "out" / self._benchmark).resolve()

    def _positive(self, variable: str, word: str) -> int:
        if not word.strip().isdecimal() or int(word) == 0:
            sys.exit(f"{self._benchmark}: {variable} takes whole numbers from 1 on, not '{word}'")
        return int(word)
