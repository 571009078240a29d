"""Group quality: how far the other groups can be trusted in this row."""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Kind

# Cadences, slowest first, and what is not collected by us; a code means the same in every training set.
TIERS: tuple[str, ...] = ("t0", "t1", "t2", "t3", "t4", "history")


def _unheard(name: str) -> Feature:
    return Feature(
        f"unheard_{name}", "share of the window in which nobody listened, gaps that had ended by then included", "0 … 1", "T", name, "nobody listens to this market",
        f"unheard_{name}_of", idea="whether counts of trades are whole",
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    Feature("book_age_s", "log1p of seconds since the book was received", "log s", "B", "now", "no book", "ln(1 + (epoch_us(as_of) - booked_us) / 1e6)", idea="staleness of the book group"),
    Feature(
        "gap_1h", "snapshots missed in pauses that ended in the last hour, each at the cadence planned when it began", "count", "S", "1h", "history, irregular",
        "missed_1h::double", idea="collection was out",
    ),
    Feature("tier", "t0 … t4 of the snapshot; history", "category", "S", "now", "never, but in rows computed before it was a feature", "coalesce(tier_then, 'history')", leak="as recorded, not computed again", idea="what is missing follows it", kind=Kind.WORD),
    Feature(
        "sign_quality", "share of trades whose side is a taker's by a settlement transaction of the venue", "0 … 1", "T", "24h", "nobody listened; no trades", "known_sides_24h / nullif(trades_24h, 0)",
        idea="inferred sides agree with the chain six times in ten [dubach]",
    ),
    *(_unheard(name) for name in ("1h", "24h")),
)  # fmt: skip
