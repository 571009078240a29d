"""Baselines: what a cheap correction of the price achieves. A model that does not beat the best of them is not needed."""

from polymarket_assets.learning.baselines.ladder import LADDER

__all__ = ["LADDER"]
