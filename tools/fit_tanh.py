#!/usr/bin/env python3
"""Fits the rational function of backend/cpu/activation.hpp: tanh(x) = x P(x^2) / Q(x^2) on [0, limit].

Weighted linear least squares for the error in units in the last place, reweighted until the error is level (Lawson
1961), in double on scaled powers; prints the coefficients for x^2, rounded to float, without Q's leading 1, and the
largest error before rounding. Needs numpy. `accurate` has degrees 3 and 4 on 7.86, `fast` 2 and
3 on 6.2.  usage: fit_tanh.py [degree of P] [degree of Q] [limit]
"""
import sys
import numpy as np

p_degree = int(sys.argv[1]) if len(sys.argv) > 1 else 3
q_degree = int(sys.argv[2]) if len(sys.argv) > 2 else 4
limit = float(sys.argv[3]) if len(sys.argv) > 3 else 7.86

x = limit * (1 - np.cos(np.linspace(1e-3, np.pi, 6000))) / 2  # dense at both ends
y = np.tanh(x)
t = (x / limit) ** 2
basis = np.polynomial.chebyshev.chebvander(2 * t - 1, max(p_degree, q_degree))
unit = 2.0 ** (np.floor(np.log2(y)) - 23)
weight = np.ones_like(x)
q_value = np.ones_like(x)
best = None
for _ in range(400):
    # x P - y Q = 0 with Q = 1 + ..., each row divided by Q and the unit; row scaling by Lawson's weights
    scale = np.sqrt(weight) / (unit * q_value)
    a = np.hstack([basis[:, : p_degree + 1] * x[:, None], -y[:, None] * basis[:, 1 : q_degree + 1]]) * scale[:, None]
    solution, *_ = np.linalg.lstsq(a, y * scale, rcond=None)
    p, q = solution[: p_degree + 1], np.concatenate([[1.0], solution[p_degree + 1 :]])
    q_value = basis[:, : q_degree + 1] @ q
    error = np.abs(x * (basis[:, : p_degree + 1] @ p) / q_value - y) / unit
    if best is None or error.max() < best[0]:
        best = (error.max(), p, q)
    weight = weight * error
    weight /= weight.sum()


def powers(chebyshev):  # of 2 t - 1 -> of x^2
    in_u = np.polynomial.chebyshev.cheb2poly(chebyshev)
    in_t = np.polynomial.Polynomial(in_u)(np.polynomial.Polynomial([-1.0, 2.0])).coef
    return in_t / (limit * limit) ** np.arange(len(in_t))


worst, p, q = best
p, q = powers(p), powers(q)
p, q = p / q[-1], q / q[-1]
print(f"largest error {worst:.3g} units")
print("P", ", ".join(float(np.float32(c)).hex() + "f" for c in p))
print("Q", ", ".join(float(np.float32(c)).hex() + "f" for c in q[:-1]))
