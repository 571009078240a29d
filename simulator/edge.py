"""The planted edges: where the venue's price is wrong, and by how much. A model that sees the features can learn exactly this.

    mid = sigmoid(logit(p) + edge)

`edge` is a sum: markets that ask whether something happens by a date (feature `by_deadline`) are overpriced by `EDGE_LOGIT`, and where
takers overpay for YES (`Profile.overpaid_logit`) all markets of Yes and No (feature `yesno_labels`) are by that. The truth behind a
quoted mid is p = sigmoid(logit(mid) - edge). Everything else is priced right.
"""

from __future__ import annotations

import numpy as np

from simulator.chance import Array

EDGE_LOGIT = 0.6
# Probabilities beyond are quoted like these: the logit of a decided market has no value.
NEAREST = 1e-4


def quoted(p: Array, edge: float) -> Array:
    """The mid price quoted for a true probability."""
    held = np.clip(p, NEAREST, 1 - NEAREST)
    odds = held / (1 - held) * np.exp(edge)
    mids: Array = odds / (1 + odds)
    return mids


def quoted_one(p: float, edge: float) -> float:
    """The same for a single probability."""
    held = min(max(p, NEAREST), 1 - NEAREST)
    odds = held / (1 - held) * float(np.exp(edge))
    return odds / (1 + odds)
