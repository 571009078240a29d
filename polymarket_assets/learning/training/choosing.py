"""What a model looks at: of the catalogue, the features that the rows it learns from can be trusted with."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.features.catalogue import FEATURES, MIRRORS, WORDS
from polymarket_assets.learning.features.declaring import Feature
from polymarket_assets.learning.served import Encoding

# `mid` itself enters as the margin and as logit_mid.
EVERY: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.name != "mid")
# With worse signs features of the sides of trades turn round.
LEAST_SIGN_QUALITY = 0.9


def encoding(rows: pa.Table) -> Encoding:
    """The columns of boosters that learn from these rows."""
    return Encoding(chosen(rows), WORDS, MIRRORS)


def chosen(rows: pa.Table) -> tuple[str, ...]:
    """The features a model of these rows learns from: those of signs only where signs are known well enough."""
    quality = pc.mean(rows.column("sign_quality")).as_py()
    has_signs = quality is not None and quality >= LEAST_SIGN_QUALITY
    return tuple(feature.name for feature in EVERY if has_signs or not feature.is_signed)
