"""Test functions of one objective: known minima, and spaces of mixed, conditional and logarithmic parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Callable

from search.problems.base import Given, Problem
from search.spaces import Condition, Point, Space, choice, number, numbers, real, space, when, whole

# Hartmann's function of six variables: Dixon and Szegö (1978), Towards Global Optimisation 2.
HARTMANN_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
HARTMANN_WIDTHS = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
HARTMANN_CENTRES = (  # times 10,000
    (1312, 1696, 5569, 124, 8283, 5886),
    (2329, 4135, 8307, 3736, 1004, 9991),
    (2348, 1451, 3522, 2883, 3047, 6650),
    (4047, 8828, 8732, 5743, 1091, 381),
)
HARTMANN_MINIMUM = -3.32237
BRANIN_MINIMUM = 0.397887


def hartmann(x: Sequence[float]) -> float:
    total = 0.0
    for weight, widths, centres in zip(HARTMANN_WEIGHTS, HARTMANN_WIDTHS, HARTMANN_CENTRES):
        distance = sum(width * (value - 1e-4 * centre) ** 2 for width, value, centre in zip(widths, x, centres))
        total += weight * math.exp(-distance)
    return -total


def branin(x: Sequence[float]) -> float:
    a, b = x
    curve = b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


def ackley(x: Sequence[float]) -> float:
    root = math.sqrt(sum(value * value for value in x) / len(x))
    waves = sum(math.cos(2 * math.pi * value) for value in x) / len(x)
    return -20 * math.exp(-0.2 * root) - math.exp(waves) + 20 + math.e


def rosenbrock(x: Sequence[float]) -> float:
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def problems() -> list[Problem]:
    unit = space(*[real(f"x{place}", 0, 1) for place in range(6)])
    wide = space(*[real(f"x{place}", -5, 10) for place in range(10)])
    valley = space(*[real(f"x{place}", -2, 2) for place in range(5)])
    plane = space(real("x0", -5, 10), real("x1", 0, 15))
    return [
        of_numbers("hartmann6", unit, hartmann, HARTMANN_MINIMUM),
        of_numbers("branin2", plane, branin, BRANIN_MINIMUM),
        of_numbers("ackley10", wide, lambda x: ackley([value - 0.7 for value in x]), 0.0),
        of_numbers("rosenbrock5", valley, lambda x: math.log1p(rosenbrock(x)), 0.0),
        of_numbers("hartmann6-noisy", unit, hartmann, HARTMANN_MINIMUM, noise=0.25),
        mixed(),
        conditional(),
        training(),
    ]


def of_numbers(
    name: str, domain: Space, function: Callable[[Sequence[float]], float], minimum: float, noise: float = 0.0
) -> Problem:
    def given(point: Point) -> Given:
        return Given([function(numbers(domain, point))])

    return Problem(name, "noisy" if noise else "synthetic", domain, given, lambda: minimum, noise)


def mixed() -> Problem:
    """Ackley's function of floats and ints, lifted by a choice and a switch."""
    domain = space(
        *[real(name, -1, 2) for name in "abc"],
        *[whole(name, -5, 5) for name in "ij"],
        choice("k", ["p", "q", "r", "s"]),
        choice("b0", [False, True]),
    )
    lifts = {"p": 2.0, "q": 0.7, "r": 0.0, "s": 1.2}

    def given(point: Point) -> Given:
        a, b, c, i, j = (number(point[name]) for name in "abcij")
        level = ackley([a - 0.3, b - 0.9, c + 0.2, (i - 2) / 3, (j + 3) / 3])
        lift = lifts[str(point["k"])] * (1.5 if point["b0"] else 1)
        return Given([level + lift + (0 if point["b0"] else 0.4)])

    return Problem("mixed_ackley7", "synthetic", domain, given, lambda: 0.0)


def conditional() -> Problem:
    """Three learners, each with logarithmic and whole parameters of its own, and one that all share."""
    deep = (Condition("model", ("mlp",)), Condition("layers", at_least=3))
    domain = space(
        choice("model", ["svm", "gbdt", "mlp"]),
        real("reg", 1e-5, 10, True),
        real("C", 1e-3, 1e3, True, when=when("model", "svm")),
        real("gamma", 1e-4, 1e2, True, when=when("model", "svm")),
        whole("trees", 10, 1000, True, when=when("model", "gbdt")),
        whole("depth", 1, 16, when=when("model", "gbdt")),
        real("eta", 1e-3, 1, True, when=when("model", "gbdt")),
        whole("layers", 1, 4, when=when("model", "mlp")),
        real("lr", 1e-5, 1, True, when=when("model", "mlp")),
        choice("act", ["relu", "tanh", "gelu"], when=when("model", "mlp")),
        whole("w3", 8, 512, True, when=deep),
    )

    def logarithm(point: Point, name: str) -> float:
        return math.log10(number(point[name]))

    def given(point: Point) -> Given:
        shared = logarithm(point, "reg")
        if point["model"] == "svm":
            c, gamma = logarithm(point, "C"), logarithm(point, "gamma")
            return Given(
                [0.12 + 0.02 * (c - 1 + 0.3 * shared) ** 2 + 0.03 * (gamma + 1.5) ** 2 + 0.004 * (shared + 2) ** 2]
            )
        if point["model"] == "gbdt":
            trees, eta, depth = logarithm(point, "trees"), logarithm(point, "eta"), number(point["depth"])
            loss = 0.08 + 0.03 * (trees + eta - 1.2) ** 2 + 0.004 * (depth - 6) ** 2 + 0.01 * (eta + 1.3) ** 2
            return Given([loss + 0.006 * (shared + 1) ** 2])
        layers = number(point["layers"])
        loss = 0.05 + 0.04 * (logarithm(point, "lr") + 2.7) ** 2 + 0.02 * (shared + 4) ** 2
        loss += {"relu": 0.01, "tanh": 0.05, "gelu": 0}[str(point["act"])] + 0.02 * abs(layers - 3)
        loss += 0.03 * (logarithm(point, "w3") - 2) ** 2 if layers >= 3 else 0.05
        return Given([loss])

    return Problem("cond_model11", "synthetic", domain, given, lambda: 0.05)


def training() -> Problem:
    """A loss that depends on a learning rate together with a batch size, with a cliff where the rate is too high."""
    domain = space(
        real("lr", 1e-6, 1, True),
        real("wd", 1e-8, 1e-1, True),
        whole("bs", 8, 1024, True),
        real("drop", 0, 0.9),
        whole("warm", 0, 20),
    )

    def given(point: Point) -> Given:
        lr, wd, bs, drop, warm = numbers(domain, point)
        rate = math.log10(lr) - 0.5 * math.log10(bs / 64)
        distance = 0.5 * (rate + 3) ** 2 + 0.08 * (math.log10(wd) + 4) ** 2 + 3 * (drop - 0.2) ** 2
        return Given([1 - math.exp(-(distance + 0.002 * (warm - 5) ** 2)) + (0.5 if rate > -1 else 0)])

    return Problem("log_hpo5", "synthetic", domain, given, lambda: 0.0)
