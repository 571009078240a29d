"""Books: the first that came once an order could be there, and the other token's as its mirror."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import books
from polymarket_assets_tests.learning.backtest.worlds import SECOND, T0, book, publish_books
from polymarket_assets_tests.learning.rows import publish

BIDS, ASKS = [(0.40, 10.0), (0.39, 20.0)], [(0.42, 5.0), (0.45, 50.0)]


def wanted(*rows: tuple[str, Any]) -> pa.Table:
    names, at = zip(*rows, strict=True)
    return pa.table({"market_id": pa.array(names), "from_at": pa.array(at, pa.timestamp("us", tz="UTC"))})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    opened = Lake(tmp_path)
    later = [book("pm:a", T0 + n * 60 * SECOND, [(0.40 + 0.01 * n, 10.0)], [(0.42 + 0.01 * n, 5.0)]) for n in range(3)]  # fmt: skip
    publish_books(opened, later)
    return opened


@pytest.mark.parametrize(
    ("after_s", "wait_s", "best"),
    [
        (-1, 60, 0.42),
        (0, 60, 0.42),
        (1e-6, 60, 0.43),
        (60, 60, 0.43),
        (61, 60, 0.44),
        (121, 60, None),
        (-30, 20, None),
    ],
)
def test_an_order_meets_the_first_book_received_from_then_on(lake: Lake, after_s: float, wait_s: float, best: float | None) -> None:  # fmt: skip
    """A book of before, however near, is one that the order could not have met; one of long after is none, either."""
    found = books.executable(lake, wanted(("pm:a", T0 + after_s * SECOND)), wait_s=wait_s)
    assert found.book[0] == (-1 if best is None else 0)
    if best is not None:
        assert found.outcomes[0].best(0) == pytest.approx(best)


def test_what_stands_is_the_newest_book_by_then(lake: Lake) -> None:
    found = books.standing(lake, wanted(("pm:a", T0 + 119 * SECOND), ("pm:a", T0 - SECOND), ("pm:b", T0)), within_s=900)  # fmt: skip
    assert found.book.tolist() == [0, -1, -1]
    assert found.mid(0) == pytest.approx(0.42)
    assert np.isnan(found.mid(1))


def test_offers_of_the_other_outcome_mirror_the_bids(tmp_path: Path) -> None:
    """Buying NO of a book is buying YES of its mirror, share for share and price for price."""
    lake = Lake(tmp_path)
    mirrored = [[(round(1 - p, 6), s) for p, s in side] for side in (ASKS, BIDS)]
    publish_books(lake, [book("pm:a", T0, BIDS, ASKS), book("pm:m", T0, *mirrored)])
    found = books.executable(lake, wanted(("pm:a", T0), ("pm:m", T0)), wait_s=1)
    for outcome in (0, 1):
        one, other = (list(found.outcomes[o].offers(b)) for o, b in ((outcome, 0), (1 - outcome, 1)))
        assert one == other
    assert list(found.outcomes[1].offers(0)) == [(pytest.approx(0.60), 10.0), (pytest.approx(0.61), 20.0)]


def test_an_empty_side_and_a_crossed_book_offer_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    publish_books(lake, [book("pm:one", T0, BIDS, []), book("pm:crossed", T0, [(0.5, 1)], [(0.5, 1)]), book("pm:none", T0, [], [])])  # fmt: skip
    found = books.executable(lake, wanted(("pm:one", T0), ("pm:crossed", T0), ("pm:none", T0)), wait_s=1)
    assert found.book[1] == -1
    one = int(found.book[0])
    assert np.isnan(found.outcomes[0].best(one))
    assert found.outcomes[1].best(one) == pytest.approx(0.60)
    assert all(np.isnan(side.best(int(found.book[2]))) for side in found.outcomes)


def test_imported_books_count_from_when_they_could_be_known(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    row = book("x:a", T0, BIDS, ASKS)
    row = {"market_id": "x:a", "booked_at": T0, "known_at": T0 + 5 * SECOND, "received_at": T0 + timedelta(days=90), "bids": row["bids"],
           "asks": row["asks"], "source": "x", "close_day": (T0 + timedelta(days=2)).date()}  # fmt: skip
    publish(lake, "history_books", [row])
    found = books.executable(lake, wanted(("x:a", T0 + SECOND), ("x:a", T0 + 6 * SECOND)), wait_s=60)
    assert found.book.tolist() == [0, -1]
    assert found.at_us[0] == int((T0 + 5 * SECOND).timestamp() * 1e6)


def test_nothing_is_asked_of_a_lake_without_wishes(tmp_path: Path) -> None:
    none = wanted(("pm:a", T0)).slice(0, 0)
    assert books.executable(Lake(tmp_path), none, wait_s=1).book.size == 0


@pytest.mark.slow
def test_a_hundred_thousand_decisions_find_their_books_in_seconds(tmp_path: Path) -> None:
    import time

    lake, markets, count = Lake(tmp_path), 500, 100_000
    publish_books(lake, [book(f"pm:{m}", T0 + s * 60 * SECOND, BIDS, ASKS) for m in range(markets) for s in range(60)])  # fmt: skip
    dice = np.random.default_rng(0)
    names = [f"pm:{m}" for m in dice.integers(0, markets, count)]
    asked = wanted(*((name, T0 + float(s) * SECOND) for name, s in zip(names, dice.uniform(0, 3500, count), strict=True)))  # fmt: skip
    began = time.perf_counter()
    assert (books.executable(lake, asked, wait_s=900).book >= 0).all()
    assert time.perf_counter() - began < 20
