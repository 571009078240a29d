"""Horizons: bands of hours to the effective close at which the venue's calibration is known to differ (ML.md 1.1).

Baselines are fitted by them and slices judged by them: they mean the same in both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_INF = float("inf")
# Name, from, up to; overdue and in-play rows are a band of their own.
HORIZONS: tuple[tuple[str, float, float], ...] = (
    ("overdue", -_INF, 0.0), ("under 1 h", 0.0, 1.0), ("1–6 h", 1.0, 6.0), ("6–24 h", 6.0, 24.0), ("1–3 d", 24.0, 72.0), ("3–7 d", 72.0, 168.0),
    ("from 7 d", 168.0, _INF),
)  # fmt: skip


def numbered(hours: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The place in `HORIZONS` of each number of hours."""
    return np.digitize(hours, [low for _, low, _ in HORIZONS[1:]])
