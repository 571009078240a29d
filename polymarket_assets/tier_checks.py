"""Checks of books and snapshots by tier and hour, all of a tier in one step; figures come from `collecting.quality`.

They look at an hour that is over. Wrong rows are errors; what is only missing warns.
"""

from collections.abc import Iterator

import dagster as dg

from polymarket_assets.assets.collection import keys
from polymarket_assets.assets.running import metadata
from polymarket_assets.collecting import quality
from polymarket_assets.partitions import HOUR, utc_now
from polymarket_assets.resources import LakeResource
from polymarket_assets.tiers import TIERS, Tier

# A market that is served at nine of ten slots is sampled; below that a person should look.
LEAST_COMPLETENESS = 0.9
# A venue matches what crosses at once: more crossed books than this are a fault of ours or of its answers.
MOST_CROSSED_SHARE = 0.01

_OF_BOOKS = {
    "keys_are_unique": (True, "No two books share market_id, slot_at."),
    "prices_are_possible": (True, "Levels and last trades lie between 0 and 1 dollar."),
    "books_are_ordered": (True, "Bids fall and asks rise."),
    "books_are_seldom_crossed": (False, "At most 1 % of the books are crossed."),
    "books_are_mirrored": (False, "The two books of the markets looked at are each other's mirror."),
    "slots_are_complete": (False, "Every slot of the grid is accounted for, and was taken."),
}
_OF_SNAPSHOTS = {
    "keys_are_unique": (True, "No two snapshots share market_id, slot_at."),
    "prices_are_possible": (True, "Prices lie between 0 and 1 dollar."),
    "markets_are_complete": (
        False,
        "Markets are sampled at 90 % of the slots from their first to their last.",
    ),
}


def _specs(tier: Tier) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=key, description=said, blocking=blocking, partitions_def=HOUR)
        for key, checks in zip(keys(tier), (_OF_BOOKS, _OF_SNAPSHOTS), strict=True)
        for name, (blocking, said) in checks.items()
    ]


def _checks(tier: Tier) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"check_{tier.name}", specs=_specs(tier))
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        opened, hour = lake.open(), context.partition_time_window.start
        books, snapshots = quality.books(opened, tier, hour), quality.snapshots(opened, tier, hour)
        slots = quality.slot_account(opened, tier, hour, now=utc_now())
        of_books, of_snapshots = keys(tier)
        for name, holds, figures in (
            ("keys_are_unique", not books.duplicate_keys, _figures(books, "rows", "duplicate_keys")),
            ("prices_are_possible", not books.impossible_prices, _figures(books, "rows", "impossible_prices")),
            ("books_are_ordered", not books.unordered, _figures(books, "rows", "unordered")),
            ("books_are_seldom_crossed", books.crossed <= books.rows * MOST_CROSSED_SHARE, _figures(books, "rows", "crossed")),
            ("books_are_mirrored", not slots.mirror_differs, _figures(slots, "mirrored", "mirror_differs")),
            ("slots_are_complete", slots.taken == slots.expected, _figures(slots, "expected", "accounted", "taken", "missing")),
        ):  # fmt: skip
            yield _result(of_books, name, holds, _OF_BOOKS[name][0], figures)
        complete = snapshots.mean_completeness is None or snapshots.mean_completeness >= LEAST_COMPLETENESS
        # Kilobytes, by column and category: once an hour and tier is enough for the history.
        filled = {"filled": dg.MetadataValue.json(quality.filled(opened, tier, hour))}
        for name, holds, figures in (
            ("keys_are_unique", not snapshots.duplicate_keys, _figures(snapshots, "rows", "duplicate_keys")),
            ("prices_are_possible", not snapshots.impossible_prices, _figures(snapshots, "rows", "impossible_prices")),
            ("markets_are_complete", complete, {**_figures(snapshots, "rows", "markets", "mean_completeness", "least_completeness"), **filled}),
        ):  # fmt: skip
            yield _result(of_snapshots, name, holds, _OF_SNAPSHOTS[name][0], figures)

    return check


def _figures(quality: object, *names: str) -> dict[str, object]:
    """What a check is about, of the figures of its table."""
    found = metadata(quality)
    return {name: found[name] for name in names if name in found}


def _result(
    asset: dg.AssetKey, name: str, holds: bool, blocking: bool, said: dict[str, object]
) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=holds, asset_key=asset, check_name=name, severity=severity, metadata=said)  # fmt: skip


ALL = [_checks(tier) for tier in TIERS]
KEYS = [key for checks in ALL for key in checks.check_keys]
