#!/usr/bin/env python3
"""Makes search.txt beside it: the figures of scikit-learn 1.9 for a Gaussian process, and those of
SciPy 1.17 for Sobol's sequence.

    pip install scikit-learn==1.9.1 scipy==1.17.1
    python3 tests/golden/search.py

Needed only to make it anew. Lines are as in generate.py's files. Two features are numbers in
[0, 1]; the third is a choice of three, which scikit-learn gets as three numbers, one of them 1. Two
choices then lie sqrt(2) apart, and its length is sqrt(2) times ours.
"""
import pathlib

import numpy
import scipy
import sklearn
from scipy.stats import qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

SCALES = [0.4, 0.9, 1.7]
VARIANCE, NOISE = 1.3, 0.02


def one_hot(x):
    return numpy.hstack([x[:, :2], numpy.eye(3)[x[:, 2].astype(int)]])


def main():
    random = numpy.random.default_rng(1)
    x = numpy.hstack([random.uniform(0, 1, (25, 2)), random.integers(0, 3, (25, 1))])
    asked = numpy.hstack([random.uniform(0, 1, (12, 2)), random.integers(0, 3, (12, 1))])
    y = numpy.sin(5 * x[:, 0]) + x[:, 1] ** 2 - (x[:, 2] == 1) + 0.1 * random.normal(size=25)
    y = (y - y.mean()) / y.std()
    lengths = [SCALES[0], SCALES[1]] + [SCALES[2] * 2**0.5] * 3
    signal = ConstantKernel(VARIANCE) * Matern(lengths, nu=2.5)
    process = GaussianProcessRegressor(signal + WhiteKernel(NOISE), alpha=0, optimizer=None).fit(one_hot(x), y)
    # The slope is by the logarithms of the parameters.
    likelihood, slope = process.log_marginal_likelihood(process.kernel_.theta, eval_gradient=True)
    mean, deviation = GaussianProcessRegressor(signal, alpha=NOISE, optimizer=None).fit(one_hot(x), y).predict(
        one_hot(asked), return_std=True
    )
    # The choice's three lengths are one of ours, so their slopes add up.
    slopes = [slope[1], slope[2], slope[3] + slope[4] + slope[5], slope[0], slope[6]]
    sobol = qmc.Sobol(64, scramble=False, bits=32).random(1024) * 2**32

    lines = [f"# made by search.py with scikit-learn {sklearn.__version__} and SciPy {scipy.__version__}"]

    def add(name, values):
        values = numpy.atleast_2d(values)
        lines.append(f"{name} {values.shape[0]} {values.shape[1]} " + " ".join(f"{v:.17g}" for v in values.flatten()))

    add("kernel", SCALES + [VARIANCE, NOISE])
    add("features", x)
    add("values", y)
    add("asked", asked)
    add("mean", mean)
    add("variance", deviation**2)
    add("log_likelihood", likelihood)
    add("slopes", slopes)
    add("sobol_1023", sobol[1023])
    add("sobol_700", sobol[700])
    path = pathlib.Path(__file__).parent / "search.txt"
    path.write_text("\n".join(lines) + "\n")
    print(path.name, len(lines), "lines", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
