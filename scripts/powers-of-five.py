#!/usr/bin/env python3
"""Writes Sources/MartletSeries/Decoding/PowersOfFive.swift: 128 bits of 5^q, by which FloatParser.swift multiplies.

scripts/powers-of-five.py            writes the file
scripts/powers-of-five.py --check    compares it with what would be written, and every entry with the exact power

5^q is scaled by a power of two into 2^127 ..< 2^128 and truncated; for -27 <= q < 0 it is rounded up, as the proof
of exactness asks (Lemire, "Number parsing at a gigabyte per second", 2021; Mushtak and Lemire, "Fast number parsing
without fallback", 2022, arXiv 2212.06644). For a w of 64 bits, w * 10^q is 0 below the lowest q and infinite above the
highest.
"""

import sys
from fractions import Fraction
from pathlib import Path

LOWEST, HIGHEST = -342, 308
TARGET = Path(__file__).parent.parent / "Sources/MartletSeries/Decoding/PowersOfFive.swift"


def entry(q: int) -> int:
    """The 128 bits of 5^q."""
    power = 5 ** abs(q)
    if q >= 0:
        surplus = power.bit_length() - 128
        return power >> surplus if surplus > 0 else power << -surplus
    bits = (power - 1).bit_length()
    if q >= -27:
        return (1 << (bits + 127)) // power + 1
    inverse = (1 << (2 * bits + 128)) // power + 1
    return inverse >> (inverse.bit_length() - 128)


def text() -> str:
    """The whole file."""
    lines = [
        "// Written by scripts/powers-of-five.py; do not edit.",
        "",
        "/// 5^q as 128 bits, the highest of them set: high half, low half, from `lowest` to `highest`.",
        "enum PowersOfFive {",
        f"  static let lowest = {LOWEST}",
        f"  static let highest = {HIGHEST}",
        "  static let words: [UInt64] = [",
    ]
    for q in range(LOWEST, HIGHEST + 1):
        halves = (entry(q) >> 64, entry(q) & (1 << 64) - 1)
        spelled = [f"{half:016X}" for half in halves]
        lines.append("    " + " ".join(f"0x{s[:4]}_{s[4:8]}_{s[8:12]}_{s[12:]}," for s in spelled))
    return "\n".join([*lines, "  ]", "}", ""])


def check() -> None:
    """Ends with a message where an entry or the file is wrong."""
    for q in range(LOWEST, HIGHEST + 1):
        bits, exact, lowest = entry(q), Fraction(5) ** q, Fraction(2) ** 127
        while exact >= 2 * lowest:
            exact /= 2
        while exact < lowest:
            exact *= 2
        if not 1 << 127 <= bits < 1 << 128 or abs(bits - exact) > 1:
            sys.exit(f"powers-of-five: 5^{q} is wrong")
        if (bits <= exact) != (q >= 0 or q < -27):
            sys.exit(f"powers-of-five: 5^{q} is rounded the wrong way")
    if TARGET.read_text() != text():
        sys.exit(f"powers-of-five: {TARGET} is not what this script writes")
    print(f"powers-of-five: {HIGHEST - LOWEST + 1} entries are right")


if "--check" in sys.argv[1:]:
    check()
else:
    TARGET.write_text(text())
