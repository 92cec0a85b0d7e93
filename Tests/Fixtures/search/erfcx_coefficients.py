"""Prints the polynomial of `martlet_erfcx`: (1 + 2x) erfcx(x) in y = (x - 4)/(x + 4), by Chebyshev interpolation.

The change of variable is that of Shepherd and Laframboise (1981). Needs mpmath.
"""

import mpmath as mp

mp.mp.dps = 60
centre, degree = 4, 24
count = degree + 1


def value(y):
    x = centre * (1 + y) / (1 - y)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


angles = [mp.pi * (2 * k + 1) / (2 * count) for k in range(count)]
values = [value(mp.cos(a)) for a in angles]
chebyshev = [(2 if j else 1) * sum(v * mp.cos(j * a) for v, a in zip(values, angles)) / count for j in range(count)]
basis = [[mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]]
while len(basis) < count:
    twice = [mp.mpf(0)] + [2 * t for t in basis[-1]]
    basis.append([t - (basis[-2][i] if i < len(basis[-2]) else 0) for i, t in enumerate(twice)])
for power in reversed(range(count)):
    print(f"    {float(sum(c * p[power] for c, p in zip(chebyshev, basis) if power < len(p))).hex()},")
