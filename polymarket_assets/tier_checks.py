"""Checks of books and snapshots by tier and hour, all of a tier in one step; figures come from `collecting.quality`.

They look at an hour that is over. Wrong rows are errors; what is only missing warns.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg

from polymarket_assets.assets.collection import keys
from polymarket_assets.assets.running import metadata
from polymarket_assets.collecting import quality
from polymarket_assets.lake.writing import Lake
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
    "books_are_ordered": (True, "Bids fall and asks rise from level to level."),
    "books_are_seldom_crossed": (False, "At most 1 % of the books are crossed."),
    "books_are_mirrored": (False, "The two books of the markets looked at are each other's mirror."),
    "slots_are_complete": (False, "Every slot of the grid is accounted for, and was taken whole."),
    "books_are_fresh": (False, "The newest book is of one of the last two slots."),
}
_OF_SNAPSHOTS = {
    "keys_are_unique": (True, "No two snapshots share market_id, slot_at."),
    "prices_are_possible": (True, "Prices lie between 0 and 1 dollar."),
    "markets_are_complete": (
        False,
        "Markets are sampled at 90 % of the slots from their first to their last.",
    ),
    "columns_are_filled": (False, "Core columns are filled as far as the tier's markets can fill them."),
}


def _specs(tier: Tier) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=key, description=said, blocking=blocking, partitions_def=HOUR)
        for key, checks in zip(keys(tier), (_OF_BOOKS, _OF_SNAPSHOTS), strict=True)
        for name, (blocking, said) in checks.items()
    ]


def _checks(tier: Tier) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"check_{tier.name}", specs=_specs(tier), can_subset=True)
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        asked = context.selected_asset_check_keys
        for key, declared, found in zip(
            keys(tier), (_OF_BOOKS, _OF_SNAPSHOTS), (_of_books, _of_snapshots), strict=True
        ):
            wanted = {check.name for check in asked if check.asset_key == key}
            if not wanted:
                continue
            for name, holds, figures in found(lake.open(), tier, context.partition_time_window.start):
                if name in wanted:
                    yield _result(key, name, holds, declared[name][0], figures)
                    wanted.remove(name)
                if not wanted:
                    # What comes after is not worked out for nobody.
                    break

    return check


# What a check says: its name, whether it holds, and its figures.
_Said = tuple[str, bool, dict[str, object]]


def _of_books(lake: Lake, tier: Tier, hour: datetime) -> Iterator[_Said]:
    books, slots = quality.books(lake, tier, hour), quality.slot_account(lake, tier, hour, now=utc_now())
    fresh = quality.is_fresh(books.newest_at, slots, tier)
    yield "keys_are_unique", not books.duplicate_keys, _figures(books, "rows", "duplicate_keys")
    yield "prices_are_possible", not books.impossible_prices, _figures(books, "rows", "impossible_prices")
    yield "books_are_ordered", not books.unordered, _figures(books, "rows", "unordered")
    yield (
        "books_are_seldom_crossed",
        books.crossed <= books.rows * MOST_CROSSED_SHARE,
        _figures(books, "rows", "crossed"),
    )
    yield "books_are_mirrored", not slots.mirror_differs, _figures(slots, "mirrored", "mirror_differs")
    yield (
        "slots_are_complete",
        slots.taken == slots.expected and not slots.partial,
        _figures(slots, "expected", "accounted", "taken", "missing", "partial"),
    )
    yield "books_are_fresh", fresh, {**_figures(books, "newest_at"), **_figures(slots, "last_at")}


def _of_snapshots(lake: Lake, tier: Tier, hour: datetime) -> Iterator[_Said]:
    shots = quality.snapshots(lake, tier, hour)
    complete = shots.mean_completeness is None or shots.mean_completeness >= LEAST_COMPLETENESS
    yield "keys_are_unique", not shots.duplicate_keys, _figures(shots, "rows", "duplicate_keys")
    yield "prices_are_possible", not shots.impossible_prices, _figures(shots, "rows", "impossible_prices")
    yield (
        "markets_are_complete",
        complete,
        _figures(shots, "rows", "markets", "mean_completeness", "least_completeness"),
    )
    yield "columns_are_filled", *_filled(lake, tier, hour)


def _filled(lake: Lake, tier: Tier, hour: datetime) -> tuple[bool, dict[str, object]]:
    """By column and category."""
    shares = quality.filled(lake, tier, hour)
    emptied = quality.emptied(shares, tier)
    said: dict[str, object] = {"filled": dg.MetadataValue.md(filled_table(shares))}
    return not emptied, {**said, "emptied": "; ".join(map(str, emptied)) or "none"}


def filled_table(shares: list[dict[str, Any]]) -> str:
    """Of `quality.filled`, in Markdown and whole percents: columns that are alike share a line, those that all rows fill have none."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for column in [name for name in (shares or [{}])[0] if name not in ("category_", "rows_")]:
        # Rounded down: only what is never missing is whole.
        alike.setdefault(tuple(int(100 * row[column]) for row in shares), []).append(column)
    heads = ["column", *(f"{row['category_']} ({row['rows_']:,} rows)" for row in shares)]
    lines = [[", ".join(names), *(f"{share} %" for share in of)] for of, names in alike.items() if min(of) < 100]  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *lines))


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
# Those that hold back what is built on snapshots, in whatever run it is built.
OF_SNAPSHOTS = [key for key in KEYS if key.asset_key.path[0] == "snapshots" and _OF_SNAPSHOTS[key.name][0]]
