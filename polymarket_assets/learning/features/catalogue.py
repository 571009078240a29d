"""All features, in the order of their columns: later ones may use earlier ones."""

from __future__ import annotations

from polymarket_assets.learning.features import (
    attention,
    book,
    event,
    flow,
    market,
    price,
    quality,
    volatility,
)
from polymarket_assets.learning.features.declaring import Feature, Kind, Mirror

GROUPS: dict[str, tuple[Feature, ...]] = {
    "price": price.FEATURES,
    "volatility": volatility.FEATURES,
    "book": book.FEATURES,
    "flow": flow.FEATURES,
    "market": market.FEATURES,
    "event": event.FEATURES,
    "attention": attention.FEATURES,
    "quality": quality.FEATURES,
}
FEATURES: tuple[Feature, ...] = tuple(feature for group in GROUPS.values() for feature in group)
BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}

# The codes of features that are words.
WORDS: dict[str, list[str]] = {"category": list(market.CATEGORIES), "tier": list(quality.TIERS)}
assert set(WORDS) == {feature.name for feature in FEATURES if feature.kind is Kind.WORD}

# What features become when the outcomes of a market change places; those that stay the same are not among them.
MIRRORS: dict[str, str] = {
    feature.name: feature.mirror.value if isinstance(feature.mirror, Mirror) else feature.mirror
    for feature in FEATURES
    if feature.mirror is not Mirror.SAME
}
