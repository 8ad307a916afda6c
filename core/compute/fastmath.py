#!/usr/bin/python3
"""Finds the polynomial coefficients of fastmath.h: least squares on Chebyshev nodes, reweighted
(Lawson) until the largest RELATIVE error of the function that is built from them is as small as it gets."""
import numpy as np


def fit(f, weight, low, high, degree, nodes=4000, rounds=300):
    x = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
    y, w, powers = f(x), weight(x), np.vander(x, degree + 1, increasing=True)
    lawson, best = np.ones(nodes), (np.inf, None)
    for _ in range(rounds):
        s = np.sqrt(lawson) * w
        c = np.linalg.lstsq(powers * s[:, None], y * s, rcond=None)[0]
        error = np.abs((powers @ c - y) * w)
        if error.max() < best[0]:
            best = (error.max(), c)
        lawson = lawson * (error / error.max() + 1e-12)
        lawson /= lawson.max()
    return best


def series(x, term, ratio, count=40):
    total = np.zeros_like(x)
    power = np.ones_like(x)
    for k in range(count):
        total += term(k) * power
        power = power * x * ratio(k)
    return total


def expm1_tail(x):  # (exp(x) - 1 - x - x^2/2) / x^3
    return series(x, lambda k: 1 / 6, lambda k: 1 / (k + 4))


def log_tail(x):  # (log(1 + x) - x + x^2/2) / x^3
    near = series(x, lambda k: (-1) ** k / (k + 3), lambda k: 1)
    return np.where(np.abs(x) < 0.1, near, (np.log1p(x) - x + x * x / 2) / np.where(x == 0, 1, x) ** 3)


def sine(s):  # sin(2 pi r) / r, s = r^2
    r = np.sqrt(s)
    return np.where(r == 0, 2 * np.pi, np.sin(2 * np.pi * r) / np.where(r == 0, 1, r))


def cosine(s):
    return np.cos(2 * np.pi * np.sqrt(s))


half = np.log(2) / 2 * 1.0001
turn = 1.0001 / 64
for name, result in (
    ("EXPM1", fit(expm1_tail, lambda x: x**3 / np.where(x == 0, 1, np.expm1(x)), -half, half, 3)),
    ("LOG", fit(log_tail, lambda x: x**3 / np.where(x == 0, 1, np.log1p(x)), 0.5**0.5 - 1, 2**0.5 - 1, 7)),
    ("SIN", fit(sine, lambda s: 1 / sine(s), 0, turn, 3)),
    ("COS", fit(cosine, lambda s: 1 / cosine(s), 0, turn, 4)),
):
    print(f"{name}: largest relative error {result[0]:.1e}")
    print("   ", ", ".join(f"{c:.9g}f" for c in result[1]))
