"""Reference numbers of ParzenMixtureTests, from SciPy 1.17: logarithms of densities of mixtures of cut-off normals."""

import numpy as np
from scipy.stats import norm, truncnorm


def smooth(x, mu, sigma):
    return truncnorm.pdf(x, (0 - mu) / sigma, (1 - mu) / sigma, mu, sigma)


def stepped(x, count, mu, sigma):
    k = np.floor(x * count)
    inside = norm.cdf(1, mu, sigma) - norm.cdf(0, mu, sigma)
    return (norm.cdf((k + 1) / count, mu, sigma) - norm.cdf(k / count, mu, sigma)) / inside


# Two trials and the prior, weights 1, 0.5 and 1; a continuous axis, one of 8 steps, one of 3 categories.
weights = np.array([1, 0.5, 1]) / 2.5
share = 0.3
for x, y, c in [(0.25, 0.4375, 0), (0.0, 0.9375, 2), (0.999, 0.0625, 1)]:
    first = smooth(x, 0.2, 0.1) * stepped(y, 8, 0.5625, 0.05) * ((c == 0) * (1 - share) + share / 3)
    second = smooth(x, 0.95, 0.1) * stepped(y, 8, 0.0625, 0.05) * ((c == 1) * (1 - share) + share / 3)
    prior = 1 * (1 / 8) * (1 / 3)
    print(f"{np.log(weights @ [first, second, prior]):.17g}")
