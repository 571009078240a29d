"""Features: a market at a decision instant, as it could have been known then.

`recorded` computes them from what the platform sampled itself, `history` from what was fetched after the
fact; both pass through the same expressions (`price`, `market`) and fill the same table.
"""

from __future__ import annotations

from polymarket_assets.learning.features.history import history, publish_history, publish_history_days
from polymarket_assets.learning.features.recorded import publish_recorded, recorded

__all__ = ["history", "publish_history", "publish_history_days", "publish_recorded", "recorded"]
