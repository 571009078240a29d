"""Wrong rows, lost slots and empty columns of an hour are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import accounts, quality, snapshotting, sweeping
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.records import Book
from polymarket_assets_tests.collecting.fakes import HOUR, book, market_id, market_row

T4 = BY_NAME["t4"]


def keep(lake: Lake, slot: int, *books: tuple[int, Book], part: str | None = None) -> None:
    """Publish books of markets, and their snapshots, of slot `slot` of T4's grid."""
    at = HOUR + T4.offset + slot * T4.every
    table = sweeping.books_table([(market_id(n), each, at) for n, each in books], at)
    shots = snapshotting.snapshots(table, table_of("markets", [market_row(n) for n, _ in books]))
    for name, rows in (("orderbooks", table), ("snapshots", shots)):
        lake.publish(name, rows, part=part or accounts.part_of(at), at=at, tier="t4")


def test_sound_books_have_nothing_against_them(lake: Lake) -> None:
    keep(lake, 0, (0, book(0)), (1, book(1)))
    found = quality.books(lake, T4, HOUR)
    assert (found.rows, found.duplicate_keys, found.impossible_prices, found.unordered, found.crossed) == (2, 0, 0, 0, 0)  # fmt: skip
    assert found.newest_at == HOUR + T4.offset


def test_wrong_books_are_counted_by_what_is_wrong(lake: Lake) -> None:
    bad = book(0, [(400_000, 1), (500_000, 1)], [(1_200_000, 1)])
    crossed = book(1, [(600_000, 1)], [(500_000, 1)])
    keep(lake, 0, (0, bad), (1, crossed))
    keep(lake, 0, (1, crossed), part="again")
    found = quality.books(lake, T4, HOUR)
    assert (found.rows, found.duplicate_keys, found.impossible_prices, found.unordered, found.crossed) == (3, 1, 1, 1, 2)  # fmt: skip
    assert quality.snapshots(lake, T4, HOUR).duplicate_keys == 1


@pytest.mark.parametrize(
    ("bids", "asks", "unordered"),
    [
        ([(400_000, 1), (390_000, 1)], [(420_000, 1), (430_000, 1)], 0),
        ([(400_000, 1), (400_000, 1)], [(420_000, 1)], 1),
        ([(400_000, 1)], [(420_000, 1), (420_000, 2)], 1),
        ([(390_000, 1), (400_000, 1)], [], 1),
        ([], [], 0),
    ],
    ids=["in order", "two bids at one price", "two asks at one price", "bids that rise", "empty"],
)
def test_a_level_stands_once_and_in_its_place(lake: Lake, bids: list[tuple[int, int]], asks: list[tuple[int, int]], unordered: int) -> None:  # fmt: skip
    """Two levels at one price are one level told twice: depth would count it double."""
    keep(lake, 0, (0, book(0, bids, asks)))
    assert quality.books(lake, T4, HOUR).unordered == unordered


@pytest.mark.parametrize(
    ("last_slot", "fresh"), [(239, True), (238, True), (237, False)], ids=["to the end", "all but one", "two less"]
)  # fmt: skip
def test_books_are_fresh_up_to_the_end_of_the_hour(lake: Lake, last_slot: int, fresh: bool) -> None:
    slots = quality.slot_account(lake, T4, HOUR, now=HOUR + timedelta(hours=2))
    assert quality.is_fresh(quality.books(lake, T4, HOUR).newest_at, slots, T4), "no book is no old one"
    keep(lake, last_slot, (0, book(0)))
    assert quality.is_fresh(quality.books(lake, T4, HOUR).newest_at, slots, T4) is fresh


def shares(category: str, rows: int, **of_columns: float) -> dict[str, Any]:
    return {"category_": category, "rows_": rows, **dict.fromkeys(quality.FLOORS, 1.0), **of_columns}


def test_a_column_that_empties_is_named_with_its_category() -> None:
    """The venue renames a field: the column is null from then on, and nothing else is wrong."""
    told = [
        shares("sports", 500, volume_usd=0.0),
        shares("politics", 500, best_bid=0.2),
        shares("odd", quality.LEAST_ROWS - 1, best_bid=0.0),
        shares("crypto", 500),
    ]
    assert [(e.category, e.column) for e in quality.emptied(told, BY_NAME["t1"])] == [("sports", "volume_usd"), ("politics", "best_bid")]  # fmt: skip
    assert [e.column for e in quality.emptied(told, T4)] == ["volume_usd"], "near the end a side is often empty"  # fmt: skip


def test_floors_are_of_columns_and_tiers_that_there_are() -> None:
    columns = set(TABLES["snapshots"].schema.names)
    assert set(quality.FLOORS) <= columns
    for tier, floors in quality.FLOORS_OF_TIER.items():
        assert tier in BY_NAME
        assert set(floors) <= set(quality.FLOORS)


def test_a_market_absent_between_its_first_and_last_slot_is_incomplete(lake: Lake) -> None:
    for slot in range(4):
        keep(lake, slot, (0, book(0)), *([(1, book(1))] if slot != 1 else []))
    found = quality.snapshots(lake, T4, HOUR)
    assert (found.rows, found.markets, found.mean_completeness, found.least_completeness) == (7, 2, 0.875, 0.75)  # fmt: skip


def test_columns_are_filled_as_far_as_books_have_them(lake: Lake) -> None:
    keep(lake, 0, (0, book(0)), (1, book(1, [], [(500_000, 1)])))
    (row,) = quality.filled(lake, T4, HOUR)
    assert (row["rows_"], row["best_bid"], row["best_ask"]) == (2, 0.5, 1.0)


def test_slots_nobody_accounted_for_are_missing(lake: Lake) -> None:
    at = HOUR + T4.offset
    accounts.publish(lake, Account("t4", at, accounts.TAKEN, "run"))
    accounts.publish(lake, Account("t4", at + T4.every, accounts.MISSED, "run"))
    found = quality.slot_account(lake, T4, HOUR, now=HOUR + timedelta(minutes=1))
    assert (found.expected, found.accounted, found.taken) == (3, 2, 1)
    assert found.missing == (at + 2 * T4.every,)
    assert quality.slot_account(lake, T4, HOUR, now=HOUR + timedelta(hours=2)).expected == 240


def test_slots_that_the_venue_answered_in_part_are_told(lake: Lake) -> None:
    """Taken is whatever has a row: a slot of one batch in three would pass for a whole one."""
    at = [HOUR + T4.offset + k * T4.every for k in range(5)]
    accounts.publish(lake, Account("t4", at[0], accounts.TAKEN, "run", omitted=3))
    accounts.publish(lake, Account("t4", at[1], accounts.TAKEN, "run", omitted=3, unasked=3))
    accounts.publish(lake, Account("t4", at[2], accounts.LATE, "run", omitted=3, unanswered=1))
    accounts.publish(lake, Account("t4", at[3], accounts.MISSED, "run", omitted=3, unanswered=3))
    assert quality.slot_account(lake, T4, HOUR, now=HOUR + timedelta(hours=2)).partial == (at[1], at[2])


def test_an_hour_without_files_has_no_rows(lake: Lake) -> None:
    assert quality.books(lake, T4, HOUR).rows == quality.snapshots(lake, T4, HOUR).rows == 0
    assert quality.filled(lake, T4, HOUR) == []
