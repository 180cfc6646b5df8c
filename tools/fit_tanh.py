#!/usr/bin/env python3
"""Fits the rational function of backend/cpu/activation.hpp: tanh(x) = x P(x^2) / Q(x^2) on [0, limit].

Weighted linear least squares for the relative error, reweighted until the error is level (Lawson 1961), in double on
scaled powers; prints the coefficients for x^2, rounded to float, and the largest relative error before rounding.
Needs numpy.  usage: fit_tanh.py [degree of P] [degree of Q] [limit]
"""
import sys
import numpy as np

p_degree = int(sys.argv[1]) if len(sys.argv) > 1 else 6
q_degree = int(sys.argv[2]) if len(sys.argv) > 2 else 3
limit = float(sys.argv[3]) if len(sys.argv) > 3 else 9.0

x = limit * (1 - np.cos(np.linspace(1e-3, np.pi, 6000))) / 2  # dense at both ends
y = np.tanh(x)
t = (x / limit) ** 2
basis = np.polynomial.chebyshev.chebvander(2 * t - 1, max(p_degree, q_degree))
weight = np.ones_like(x)
q_value = np.ones_like(x)
best = None
for _ in range(400):
    # x P - y Q = 0 with Q = 1 + ..., each row divided by y Q: the relative error; row scaling by Lawson's weights
    scale = np.sqrt(weight) / (y * q_value)
    a = np.hstack([basis[:, : p_degree + 1] * x[:, None], -y[:, None] * basis[:, 1 : q_degree + 1]]) * scale[:, None]
    solution, *_ = np.linalg.lstsq(a, y * scale, rcond=None)
    p, q = solution[: p_degree + 1], np.concatenate([[1.0], solution[p_degree + 1 :]])
    q_value = basis[:, : q_degree + 1] @ q
    error = np.abs(x * (basis[:, : p_degree + 1] @ p) / (y * q_value) - 1)
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
p, q = p / q[0], q / q[0]
print(f"largest relative error {worst:.3g}")
print("P", ", ".join(float(np.float32(c)).hex() + "f" for c in p))
print("Q", ", ".join(float(np.float32(c)).hex() + "f" for c in q))
