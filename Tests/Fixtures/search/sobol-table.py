"""Writes Sources/MartletSearch/Samplers/Sobol/SobolTable.swift, and prints reference points for its test.

The numbers are the initial direction numbers of S. Joe and F. Y. Kuo ("Constructing Sobol sequences with better
two-dimensional projections", 2008; new-joe-kuo-6), which SciPy carries. Needs scipy.
"""

import base64
import pathlib

import numpy as np
import scipy.stats
from scipy.stats import qmc

COUNT = 1111  # as many as have primitive polynomials up to degree 13
data = np.load(pathlib.Path(scipy.stats.__file__).parent / "_sobol_direction_numbers.npz")
bits = ""
degrees = []
for dimension in range(1, COUNT):
    polynomial = int(data["poly"][dimension])
    degree = polynomial.bit_length() - 1
    degrees.append(degree)
    # The first and the last coefficient are always 1.
    if degree > 1:
        bits += format(polynomial >> 1 & (1 << degree - 1) - 1, f"0{degree - 1}b")
    for k in range(1, degree + 1):
        m = int(data["vinit"][dimension][k - 1])
        assert m % 2 == 1 and m < 1 << k
        if k > 1:
            bits += format(m >> 1, f"0{k - 1}b")
bits += "0" * (-len(bits) % 24)
text = base64.b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode()
counts = [degrees.count(degree) for degree in range(1, max(degrees) + 1)]
assert degrees == sorted(degrees)

lines = "\n".join("    " + text[i : i + 104] for i in range(0, len(text), 104))
root = pathlib.Path(__file__).parents[3]
(root / "Sources/MartletSearch/Samplers/Sobol/SobolTable.swift").write_text(
    f"""// Initial direction numbers of the Sobol sequence. Written by Tests/Fixtures/search/sobol-table.py.

enum SobolTable {{
  /// How many dimensions after the first have a polynomial of degree 1, 2, ….
  static let counts = {counts}

  /// For each dimension after the first, by degree s: the s − 1 inner coefficients of its primitive polynomial, then
  /// direction numbers m₂ … m_s of Joe and Kuo (new-joe-kuo-6) without their last bit, which is 1, in k − 1 bits each.
  /// Base 64.
  static let bits = \"\"\"
{lines}
    \"\"\"
}}
"""
)

points = qmc.Sobol(COUNT, scramble=False, bits=32).random(1024)
for row, column in [(1, 0), (2, 1), (3, 2), (5, 6), (77, 30), (1000, 100), (1023, 479), (1023, 480), (999, 1110)]:
    print(f"({row}, {column}, {float(points[row, column])}),")
