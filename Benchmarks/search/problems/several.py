"""Test functions with a constraint on outcomes, and with two objectives."""

from __future__ import annotations

import math

from search.problems.base import Given, Problem
from search.spaces import Point, number, numbers, real, space


def problems() -> list[Problem]:
    return [gardner(), zdt1(), dtlz2()]


def gardner() -> Problem:
    """Gardner and others (2014), Bayesian optimization with inequality constraints, simulation 1."""

    def given(point: Point) -> Given:
        x, y = number(point["x"]), number(point["y"])
        constraint = math.cos(x) * math.cos(y) - math.sin(x) * math.sin(y) - 0.5
        return Given([math.cos(2 * x) * math.cos(y) + math.sin(x)], [constraint])

    domain = space(real("x", 0, 6), real("y", 0, 6), constraints=1)
    return Problem("gardner-con", "constrained", domain, given, lambda: -2.0)


def zdt1() -> Problem:
    """Zitzler, Deb and Thiele (2000), eight variables. The front is f2 = 1 − √f1 over 0...1."""
    domain = space(*[real(f"x{place}", 0, 1) for place in range(8)], objectives=2)

    def given(point: Point) -> Given:
        x = numbers(domain, point)
        g = 1 + 9 * sum(x[1:]) / len(x[1:])
        return Given([x[0], g * (1 - math.sqrt(x[0] / g))])

    reference = (1.1, 6.0)
    volume = reference[0] * reference[1] - 1 / 3
    return Problem("zdt1-8", "mo", domain, given, reference=reference, hypervolume=volume)


def dtlz2() -> Problem:
    """Deb, Thiele, Laumanns and Zitzler (2002), six variables. The front is the quarter of a circle of radius 1."""
    domain = space(*[real(f"x{place}", 0, 1) for place in range(6)], objectives=2)

    def given(point: Point) -> Given:
        x = numbers(domain, point)
        radius = 1 + sum((value - 0.5) ** 2 for value in x[1:])
        angle = x[0] * math.pi / 2
        return Given([radius * math.cos(angle), radius * math.sin(angle)])

    reference = (2.5, 2.5)
    volume = reference[0] * reference[1] - math.pi / 4
    return Problem("dtlz2-6", "mo", domain, given, reference=reference, hypervolume=volume)
