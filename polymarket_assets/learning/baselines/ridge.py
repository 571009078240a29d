"""Logistic regression that starts from an offset, each coefficient held to zero by its own ridge.

scikit-learn's has no offset, and one penalty for all coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

# L-BFGS needs some dozens of steps; what does not settle in so many is as good as it gets.
_STEPS = 500


def fitted(design: Any, label: Reals, weight: Reals, offset: Reals, penalty: Reals) -> Reals:
    """Coefficients b that minimise Σ w · log loss(label, offset + design · b) + ½ Σ penalty · b².

    `design` is (rows × coefficients), dense or a scipy sparse matrix; a penalty of λ is a normal prior of variance 1/λ.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(b: Reals) -> tuple[float, Reals]:
        margin = offset + design @ b
        missed = weight * (expit(margin) - label)
        value = weight @ (np.logaddexp(0.0, margin) - label * margin) + 0.5 * (penalty * b) @ b
        return float(value), design.T @ missed + penalty * b

    start = np.zeros(design.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x, dtype=np.float64)


def forecast(design: Any, b: Reals, offset: Reals) -> Reals:
    """Probabilities of rows."""
    from scipy.special import expit

    return np.asarray(expit(offset + design @ b), dtype=np.float64)
