"""Group attention: how much the venue itself says was traded, where nobody listens, too."""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature

# Listings nearer to each other tell of their clocks more than of trading.
LEAST_APART_H = 1 / 60

FEATURES: tuple[Feature, ...] = (
    Feature(
        "log_vol_24h", "log1p of the last day's volume, as listed then", "log $", "S", "24h", "not listed; history", "case when volume_24h_usd is not null then ln(1 + greatest(volume_24h_usd, 0)) end",
        leak="stored with the snapshot, never fetched later (L2)", idea="calibration varies with volume",
    ),
    Feature(
        "listed_flow", "log1p of dollars an hour traded between the last two listings", "log $/h", "S", "last listings", "no two listings a minute or more apart; history",
        f"case when volume_change_h >= {LEAST_APART_H} and volume_change_usd is not null then ln(1 + greatest(volume_change_usd, 0) / volume_change_h) end", leak="stored with the snapshot (L2)", idea="attention where no socket listens",
    ),
)  # fmt: skip
