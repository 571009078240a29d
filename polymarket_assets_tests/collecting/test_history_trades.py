"""Trades of a day of close: each once, none from outside of a market's life, and it is told where a list is not whole."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.collecting import history
from polymarket_assets.collecting.deafness import LATE_BLOCK
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused
from polymarket_assets.venue.records import Page, Trade
from polymarket_assets_tests.collecting.fakes import Gamma, Time, listing, market_id, token

DAY = date(2026, 11, 1)
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
CLOSED = START + timedelta(hours=12)
LISTED = START - timedelta(days=30)
LAST_PAGE = None


def trade(n: int, seconds: float = -600, *, tx: int = 1, outcome: int | None = 0, **changed: Any) -> Trade:
    """A trade of market `n`, so many seconds after its close."""
    fields: dict[str, Any] = {
        "condition_id": f"0x{n:064x}",
        "token_id": token(n) if outcome != 1 else f"9{token(n)}",
        "outcome_index": outcome,
        "is_buy": True,
        "price_e6": 400_000,
        "size_e6": 5_000_000,
        "traded_at": CLOSED + timedelta(seconds=seconds),
        "tx_hash": f"0x{tx:064x}",
    }
    return Trade(**{**fields, **changed})


@dataclass
class Trades:
    """Pages by condition id, or an error after them; newest first, as the venue has them."""

    pages: dict[str, Sequence[Page | PolymarketError]] = field(default_factory=dict)

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        for page in self.pages.get(condition_id, [Page((), LAST_PAGE)]):
            if isinstance(page, PolymarketError):
                raise page
            yield page


def fetch(lake: Lake, *pages: Page | PolymarketError, markets: int = 1, **asked: Any) -> history.TradesReport:
    """Fetch the day of so many markets, of which the first has these pages."""
    rows = [
        listing(n, closed=True, end={"closed_at": CLOSED}, scheduled_end=CLOSED, listed_at=LISTED)
        for n in range(1, markets + 1)
    ]
    history.fetch_markets(lake, Gamma(rows), DAY, clock=Time(NOW).clock)
    clients = [Trades({f"0x{1:064x}": pages} if pages else {})]
    return history.fetch_trades(lake, clients, DAY, clock=Time(NOW).clock, **asked)


def rows_of(lake: Lake) -> list[dict[str, Any]]:
    return reading.rows(lake, "history_trades").to_pylist()


def test_a_trade_is_a_row_with_what_the_venue_says_of_it(lake: Lake) -> None:
    report = fetch(lake, Page((trade(1, is_buy=False, outcome=1, tx=7),), LAST_PAGE))
    assert rows_of(lake) == [
        {
            "market_id": market_id(1), "close_day": DAY, "traded_at": CLOSED - timedelta(minutes=10), "n": 0, "received_at": NOW,
            "outcome_index": 1, "is_buy": False, "price_e6": 400_000, "size_e6": 5_000_000, "tx_hash": (7).to_bytes(32, "big"),
            "truncated": False, "source": "polymarket",
        }
    ]  # fmt: skip
    assert (report.rows, report.markets, report.without, report.malformed) == (1, 1, 0, 0)


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 12), max_size=6))
@settings(max_examples=40, deadline=None)
def test_rows_do_not_depend_on_how_pages_are_cut_or_ordered_within_a_second(tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: list[int]) -> None:  # fmt: skip
    """The number of a row is part of its key: fetched again it must be the same row."""
    dice = random.Random(seed)
    made = [trade(1, -second, tx=tx, outcome=tx % 2, size_e6=1_000_000 + tx) for second in (1, 1, 1, 2, 2, 9) for tx in range(1, 5)]  # fmt: skip
    made = list(dict.fromkeys(made))
    found = []
    for shuffled in (made, dice.sample(made, len(made))):
        newest_first = sorted(shuffled, key=lambda one: one.traded_at, reverse=True)
        edges = sorted({0, len(made), *(cut for cut in itertools.accumulate(cuts) if cut < len(made))})
        pages = [Page(tuple(newest_first[a:b]), "more" if b < len(made) else LAST_PAGE) for a, b in itertools.pairwise(edges)]  # fmt: skip
        lake = Lake(tmp_path_factory.mktemp("lake"))
        fetch(lake, *pages)
        found.append(rows_of(lake))
    assert found[0] == found[1]
    keys = [tuple(row[name] for name in TABLES["history_trades"].key) for row in found[0]]
    assert len(set(keys)) == len(keys) == len(made)
    assert keys == sorted(keys)


def test_two_fills_alike_are_two_and_a_page_that_repeats_the_one_before_adds_none(lake: Lake) -> None:
    """Pages counted by offset repeat what they ended with while something new came in front."""
    twice, once = trade(1, -5), trade(1, -9, tx=2)
    fetch(lake, Page((twice, twice, once), "500"), Page((once, trade(1, -20, tx=3)), LAST_PAGE))
    assert [(row["traded_at"], row["n"]) for row in rows_of(lake)] == [
        (CLOSED - timedelta(seconds=20), 0),
        (CLOSED - timedelta(seconds=9), 0),
        (CLOSED - timedelta(seconds=5), 0),
        (CLOSED - timedelta(seconds=5), 1),
    ]


SINCE_LISTED = (LISTED - CLOSED).total_seconds()


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        (0, True),
        (3, True),
        (LATE_BLOCK.total_seconds(), True),
        (LATE_BLOCK.total_seconds() + 1, False),
        (86_400, False),
        (SINCE_LISTED, True),
        (SINCE_LISTED - 1, True),
        (SINCE_LISTED - 2, False),
    ],
)
def test_trades_from_outside_of_a_markets_life_are_counted_and_not_kept(lake: Lake, seconds: float, kept: bool) -> None:  # fmt: skip
    """A block follows its match by seconds, not by hours; what trades after the close knows how it ended."""
    report = fetch(lake, Page((trade(1, seconds), trade(1, -60, tx=2)), LAST_PAGE))
    assert (report.rows, report.outside) == (1 + kept, 1 - kept)
    assert report.truncated == 0


@pytest.mark.parametrize(("outcome", "place"), [(None, 0), (0, 0), (1, 1)])
def test_the_token_says_which_outcome_traded(lake: Lake, outcome: int | None, place: int) -> None:
    """The venue joins its metadata seconds later, and says 999 until then."""
    fetch(lake, Page((trade(1, outcome=outcome),), LAST_PAGE))
    assert [row["outcome_index"] for row in rows_of(lake)] == [place]


def test_a_token_that_is_none_of_the_markets_is_counted_and_not_kept(lake: Lake) -> None:
    report = fetch(lake, Page((trade(1, token_id="777", outcome_index=None), trade(1, tx=2)), LAST_PAGE))
    assert (report.rows, report.unmapped) == (1, 1)


@pytest.mark.parametrize(
    ("pages", "truncated", "unreadable"),
    [
        ([Page((trade(1),), LAST_PAGE)], False, 0),
        ([Page((trade(1),), "9500"), Page((), LAST_PAGE, is_cut=True)], True, 0),
        ([Page((trade(1),), LAST_PAGE, ("a row that cannot be read",))], True, 1),
        ([Page((trade(1),), "x", ("a row that cannot be read",)), Page((trade(1, -900),), LAST_PAGE)], False, 1),
        ([Page((trade(1),), "x"), Refused("the trades did not end within 1000 pages")], True, 0),
        ([Page((trade(1),), "x"), Gone("410", status=410)], True, 0),
    ],
    ids=["whole", "the ceiling of v1", "its end unreadable", "its middle unreadable", "without an end", "gone midway"],
)  # fmt: skip
def test_a_list_that_ends_early_says_so_in_its_rows(lake: Lake, pages: list[Page | PolymarketError], truncated: bool, unreadable: int) -> None:  # fmt: skip
    """Volume and flow of such a market are not those of its life."""
    report = fetch(lake, *pages)
    assert {row["truncated"] for row in rows_of(lake)} == {truncated}
    assert (report.truncated, report.unreadable, report.malformed) == (int(truncated), unreadable, 0)


def test_a_market_older_than_the_venue_shows_is_not_whole(lake: Lake) -> None:
    """Its list begins three years before it is asked for."""
    row = listing(1, closed=True, end={"closed_at": CLOSED}, scheduled_end=CLOSED, listed_at=NOW - timedelta(days=1_100))  # fmt: skip
    history.fetch_markets(lake, Gamma([row]), DAY, clock=Time(NOW).clock)
    clients = [Trades({f"0x{1:064x}": [Page((trade(1),), LAST_PAGE)]})]
    assert history.fetch_trades(lake, clients, DAY, clock=Time(NOW).clock).truncated == 1


@pytest.mark.parametrize("answer", [Page((), LAST_PAGE), Gone("404", status=404)])
def test_a_market_that_nobody_traded_is_counted(lake: Lake, answer: Page | PolymarketError) -> None:
    report = fetch(lake, answer, markets=2)
    assert (report.rows, report.markets, report.without, report.malformed) == (0, 2, 2, 0)
    assert reading.files(lake, "history_trades") != [], "a day without trades is known to have none"


def test_one_market_that_cannot_be_read_costs_only_itself(lake: Lake) -> None:
    rows = [listing(n, closed=True, end={"closed_at": CLOSED}, scheduled_end=CLOSED, listed_at=LISTED) for n in (1, 2)]  # fmt: skip
    history.fetch_markets(lake, Gamma(rows), DAY, clock=Time(NOW).clock)
    stuck = [Page((trade(1),), "x"), MalformedPayload("page of trades", "x", "the cursor is stuck")]
    clients = [Trades({f"0x{1:064x}": stuck, f"0x{2:064x}": [Page((trade(2),), LAST_PAGE)]})]
    report = history.fetch_trades(lake, clients, DAY, clock=Time(NOW).clock)
    assert (report.rows, report.malformed) == (1, 1)
    assert {row["market_id"] for row in rows_of(lake)} == {market_id(2)}


def test_a_day_that_no_market_could_be_read_of_is_not_published(lake: Lake) -> None:
    with pytest.raises(MalformedPayload, match="stuck"):
        fetch(lake, MalformedPayload("page of trades", "x", "the cursor is stuck"))
    assert reading.files(lake, "history_trades") == []


@pytest.mark.parametrize(("least", "markets"), [(0.0, 2), (1_000.0, 2), (1_000.01, 0)])
def test_markets_traded_for_less_are_left_out_and_counted(lake: Lake, least: float, markets: int) -> None:
    report = fetch(lake, markets=2, least_volume_usd=least)
    assert (report.markets, report.left_out, report.least_volume_usd) == (markets, 2 - markets, least)
