"""Every feature once more, in plain Python, from the rows of the lake and the words of docs/features.md alone.

Slow, one row after the other, with no as-of join and no running sum: what the fast code must agree with. `held` is the lake
in lists; each other module computes a group or two.
"""

from polymarket_assets_tests.learning.slowly.features import Slow

__all__ = ["Slow"]
