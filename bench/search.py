#!/usr/bin/env python3
"""Optuna's TPE and scikit-optimize's Gaussian process beside ours, at equal evaluations of the same
functions and by the same seeds.

    build/release/bin/bench_search --json search.json
    python3 bench/search.py search.json

Needs scipy, and optuna or scikit-optimize (pip); a missing one is skipped by name. Both run as they
come: ten trials at random, then a model. One-sided Wilcoxon tests over the seeds tell whether ours
is worse, and whether it is better.
"""

import json
import math
import statistics
import sys
import warnings

from scipy.stats import wilcoxon


def branin(x):
    q = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return q * q + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


def hartmann6(x):
    c = [1.0, 1.2, 3.0, 3.2]
    a = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    p = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    return -sum(
        c[i] * math.exp(-sum(a[i][j] * (x[j] - p[i][j]) ** 2 for j in range(6))) for i in range(4)
    )


FUNCTIONS = {"branin": (branin, [(-5.0, 10.0), (0.0, 15.0)]), "hartmann6": (hartmann6, [(0.0, 1.0)] * 6)}


def optuna_tpe(function, ranges, seed, evaluations):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(
        lambda trial: function([trial.suggest_float(f"x{i}", *r) for i, r in enumerate(ranges)]),
        n_trials=evaluations,
    )
    return study.best_value


def skopt_gaussian(function, ranges, seed, evaluations):
    import skopt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skopt.gp_minimize(function, ranges, n_calls=evaluations, random_state=seed).fun


PEERS = [("optuna", "TPE", "tpe", optuna_tpe), ("skopt", "GP", "gaussian", skopt_gaussian)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ours = json.load(file)
    seeds, evaluations = range(ours["first"], ours["first"] + ours["seeds"]), ours["evaluations"]
    print(f"{len(seeds)} seeds, {evaluations} evaluations: median regrets; p of ours being no worse, and no better")
    for module, name, method, search in PEERS:
        try:
            version = __import__(module).__version__
        except ImportError:
            print(f"skipped: {module} is not installed")
            continue
        for function_name, (function, ranges) in FUNCTIONS.items():
            known = ours["functions"][function_name]
            assert math.isclose(function([1.0] * len(ranges)), known["at_1"]), f"{function_name} is not the function that ours saw"
            mine = known["regrets"][method]
            theirs = [search(function, ranges, seed, evaluations) - known["least"] for seed in seeds]
            worse = wilcoxon(mine, theirs, alternative="greater").pvalue
            better = wilcoxon(mine, theirs, alternative="less").pvalue
            print(
                f"{function_name:10} {method:9} {statistics.median(mine):8.4f}   {module} {version} {name} "
                f"{statistics.median(theirs):8.4f}   p {worse:.2g}, {better:.2g}",
                flush=True,
            )


if __name__ == "__main__":
    main()
