"""Writes Tests/MartletSearchTests/Samplers/GP/GaussianProcessReference.swift: a posterior, its likelihood and power
transforms as NumPy and SciPy compute them.

Run from the root of the repository.
"""

import numpy as np
from scipy import linalg, stats

draw = np.random.default_rng(5)
points = draw.random((9, 3)).round(3)
points[:, 2] = draw.integers(0, 3, 9)
values = draw.normal(size=9).round(3)
asked = draw.random((4, 3)).round(3)
asked[:, 2] = draw.integers(0, 3, 4)
weights, scale, noise = np.array([2.5, 0.4, 0.9]), 1.7, 0.03


def kernel(a, b):
    apart = a[:, None, :] - b[None, :, :]
    apart[:, :, 2] = apart[:, :, 2] != 0
    root = np.sqrt(5 * np.sum(weights * apart**2, axis=2))
    return scale * (1 + root + root**2 / 3) * np.exp(-root)


covariance = kernel(points, points) + noise * np.eye(len(points))
factor = linalg.cho_factor(covariance, lower=True)
cross = kernel(asked, points)
means = cross @ linalg.cho_solve(factor, values)
variances = scale - np.sum(cross * linalg.cho_solve(factor, cross.T).T, axis=1)
likelihood = -stats.multivariate_normal(np.zeros(9), covariance).logpdf(values)
skewed = np.exp(draw.normal(size=30)).round(4)
signed = (skewed - 1.5).round(4)
tables = {
    "points": points.tolist(),
    "values": values.tolist(),
    "asked": asked.tolist(),
    "weights": weights.tolist(),
    "means": means.tolist(),
    "variances": variances.tolist(),
    "skewed": skewed.tolist(),
    "signed": signed.tolist(),
}
numbers = {
    "scale": scale,
    "noise": noise,
    "negativeLogLikelihood": float(likelihood),
    "boxCox": float(stats.boxcox_normmax(skewed, brack=(-1, 1), method="mle")),
    "yeoJohnson": float(stats.yeojohnson_normmax(signed)),
}
with open("Tests/MartletSearchTests/Samplers/GP/GaussianProcessReference.swift", "w") as out:
    out.write("// Written by Tests/Fixtures/search/gaussian_process.py.\n\nenum GaussianProcessReference {\n")
    for name, number in numbers.items():
        out.write(f"  static let {name} = {number!r}\n")
    for name, table in tables.items():
        kind = "[[Double]]" if isinstance(table[0], list) else "[Double]"
        out.write(f"  static let {name}: {kind} = {table!r}\n")
    out.write("}\n")
