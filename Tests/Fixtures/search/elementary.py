"""Writes Tests/MartletSearchTests/Numerics/ElementaryReference.swift: elementary functions to 60 digits, rounded.

Needs mpmath. Run from the root of the repository.
"""

import random

import mpmath as mp

mp.mp.dps = 60
draw = random.Random(7)


def uniform(low, high, count):
    return [draw.uniform(low, high) for _ in range(count)]


def spread(low, high, count):
    return [10 ** draw.uniform(low, high) for _ in range(count)]


def phi(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def share(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


tables = {
    "exp": (mp.exp, uniform(-700, 700, 12) + uniform(-1, 1, 12) + [0.0, 709.7]),
    "expm1": (mp.expm1, uniform(-1, 1, 12) + spread(-12, -2, 6) + [-30.0, 30.0]),
    "log": (mp.log, spread(-300, 300, 12) + uniform(0.5, 2, 12) + [1.0, 1e-300, 0.9999999]),
    "log1p": (lambda x: mp.log(1 + x), spread(-15, 3, 12) + uniform(-0.99, 0.5, 12)),
    "erfc": (mp.erfc, uniform(-5, 5, 16) + uniform(5, 26, 8)),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), uniform(0, 6, 12) + spread(0, 20, 8) + [-0.5, -3.0]),
    "lgamma": (mp.loggamma, uniform(0.01, 15, 14) + spread(1, 6, 6)),
    "sinTurn": (lambda x: mp.sin(2 * mp.pi * x), uniform(0, 1, 14)),
    "cosTurn": (lambda x: mp.cos(2 * mp.pi * x), uniform(0, 1, 14)),
    "cumulative": (share, uniform(-37, -5, 6) + uniform(-5, 8, 12)),
    "logCumulative": (lambda x: mp.log(share(x)), uniform(-40, 6, 16) + [-1e6, -1.0, 9.0]),
    "quantile": (
        lambda p: mp.findroot(lambda x: share(x) - p, mp.mpf(0) if 0.1 < p < 0.9 else (-2 if p < 0.5 else 2)),
        uniform(0.001, 0.999, 12) + [0.02, 0.98, 0.5],
    ),
    "logImprovement": (
        lambda z: mp.log(phi(z) + z * share(z)),
        uniform(-60, 6, 16) + [-1.0, -1.0001, -29.99, -30.01, -1e4],
    ),
}
with open("Tests/MartletSearchTests/Numerics/ElementaryReference.swift", "w") as out:
    out.write("// Written by Tests/Fixtures/search/elementary.py: arguments and the right values.\n\n")
    out.write("enum ElementaryReference {\n")
    for name, (function, arguments) in tables.items():
        out.write(f"  static let {name}: [(Double, Double)] = [\n")
        for x in arguments:
            mp.mp.dps = 60 if abs(x) < 1e3 else 900
            value = float(mp.re(function(mp.mpf(x))))
            out.write(f"    ({x!r}, {value!r}),\n")
        out.write("  ]\n")
    out.write("}\n")
