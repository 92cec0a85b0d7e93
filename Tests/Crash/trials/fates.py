"""What each attempt of a trial does, told by the seed alone.

The trials' own program imports it in each of its starts, so it imports next to nothing.
"""

from __future__ import annotations

MASK = (1 << 64) - 1

# How an attempt ends.
WORKS = "works"  # logs its value and leaves with 0
FAILS = "fails"  # leaves with another code
CRASHES = "crashes"  # by a signal that it sends itself
HANGS = "hangs"  # until somebody ends it
HOGS = "hogs"  # memory, until somebody ends it; by itself when nobody does

# Whom it leaves behind.
ALONE = "alone"
CHILD = "child"
SESSION = "session"  # a grandchild in a session of its own
STRIPPED = "stripped"  # the same with an empty environment, under another program
RUNNER = "runner"  # a process that goes on as its own child again and again

ENDS = ((WORKS, 60), (FAILS, 16), (CRASHES, 6), (HANGS, 10), (HOGS, 8))  # in percent
COMPANIES = ((ALONE, 54), (CHILD, 16), (SESSION, 14), (STRIPPED, 8), (RUNNER, 8))
STUBBORN = 0.25  # of the attempts ignore SIGTERM, and so do those that they leave behind


class Fate:
    """Of one attempt."""

    def __init__(self, seed: int, trial: int, attempt: int) -> None:
        numbers = Numbers(seed, trial, attempt)
        self.end = numbers.choose(ENDS)
        self.company = numbers.choose(COMPANIES)
        self.is_stubborn = numbers.next() < STUBBORN
        self.seconds = 0.05 + 0.4 * numbers.next()  # of work

    @property
    def can_be_followed(self) -> bool:
        """Whether what it leaves behind is found without its supervisor: the record, the group and the environment
        are all that there is then."""
        return self.company != STRIPPED


class Numbers:
    """Random ones (splitmix64): `random` alone takes longer to import than a trial takes to begin."""

    def __init__(self, *seeds: int) -> None:
        self._state = 0
        for seed in seeds:
            self._state = mixed(self._state ^ seed)

    def next(self) -> float:
        """From 0 up to below 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        return mixed(self._state) / (MASK + 1)

    def choose(self, shares: tuple[tuple[str, int], ...]) -> str:
        at = self.next() * 100
        for name, share in shares:
            at -= share
            if at < 0:
                return name
        return shares[-1][0]


def mixed(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)
