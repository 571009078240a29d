"""History and recordings fill one table: each feature means the same in both, and is null where a source cannot know it."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.lake.schemas.learning import CATALOGUE
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence import history as of_history
from polymarket_assets.learning.evidence import recorded as of_recordings
from polymarket_assets_tests.learning.rows import (
    HOUR,
    MINUTE,
    NOON,
    closed_market,
    market,
    price,
    publish,
    snapshot,
)

CLOSE = NOON + 6 * HOUR
LISTED_AT = NOON - 50 * HOUR
HOURS = (4, 3, 2, 1)
RECORDED, QUOTED, DISPLAYED, ONE_PRICE = "recorded", "history with quotes", "history with a displayed price", "history with one price"  # fmt: skip
HISTORY = (QUOTED, DISPLAYED, ONE_PRICE)
EVERYBODY = (RECORDED, *HISTORY)
# Who has a price every five minutes.
SERIES = (RECORDED, QUOTED, DISPLAYED)

# Who can know a feature of a market of which everything there is to know was given.
KNOWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("mid", "logit_mid"), EVERYBODY),
    **dict.fromkeys(("spread_c", "spread_logit"), (RECORDED, QUOTED)),
    **dict.fromkeys(("last_trade_dev_c", "edge_ticks", "hurdle_c"), (RECORDED,)),
    # Prices are five minutes apart: nothing is said of a minute.
    **dict.fromkeys(("lret_1m",), ()),
    **dict.fromkeys(("lret_5m", "lret_15m", "lret_1h", "lret_6h", "lret_24h", "rv_1h", "rv_24h", "ret_z_1h", "pos_range_24h", "n_moves_1h"), SERIES),
    **dict.fromkeys(("range_24h_c", "unchanged_s"), SERIES),
    **dict.fromkeys(
        ("micro_dev_c", "bid_depth_1c", "ask_depth_1c", "bid_depth_5c", "ask_depth_5c", "imb_top", "imb_2c", "imb_5c", "slope_diff", "wall_share_bid",
         "wall_share_ask", "wall_dist_c", "n_levels", "book_entropy", "walk_cost_100_c", "book_age_s"),
        (RECORDED, QUOTED),
    ),
    # Five books in fifteen minutes there are not.
    **dict.fromkeys(("ofi_15m",), ()),
    **dict.fromkeys(
        ("n_tr_5m", "n_tr_1h", "n_tr_24h", "usd_1h", "usd_24h", "sflow_5m", "sflow_1h", "sflow_24h", "vpin_24h", "avg_usd_1h", "whale_share_24h", "whale_sflow_24h",
         "trade_age_s", "sign_quality", "unheard_1h", "unheard_24h"),
        (RECORDED, QUOTED, DISPLAYED),
    ),
    **dict.fromkeys(("kyle_24h",), SERIES),
    **dict.fromkeys(("category", "neg_risk", "yesno_labels", "updown_labels", "by_deadline"), EVERYBODY),
    # The last tick tells where the price went, volumes and liquidity of the end how it went, a moved end that it did.
    **dict.fromkeys(("tick_c", "fee_rate", "log_liq", "log_cumvol", "end_moves", "log_vol_24h", "listed_flow"), (RECORDED,)),
    **dict.fromkeys(("age_h", "hours_to_end", "life_frac", "hours_to_start"), EVERYBODY),
    **dict.fromkeys(("tod_sin", "tod_cos", "dow"), EVERYBODY),
    **dict.fromkeys(("sib_mid_dev", "sib_rank", "norm_logit_shift", "lead_gap"), EVERYBODY),
    **dict.fromkeys(("sib_ask_dev",), (RECORDED, QUOTED)),
    **dict.fromkeys(("event_move_1h",), SERIES),
    **dict.fromkeys(("n_sib", "tier", "gap_1h"), EVERYBODY),
}  # fmt: skip
# Of these the cadence is a part, and it differs.
OF_CADENCE = {"tier", "gap_1h"}

# One market, as either side may know it; what of it was fetched after the end is there too, and must not be used.
MARKET: dict[str, Any] = {
    "listed_at": LISTED_AT, "game_start_at": CLOSE - 2 * HOUR, "game_id": "g", "sports_market_type": "moneyline", "event_id": "e",
    "category": "sports", "question": "Will the home team win by June 30?", "tick_e6": 10_000, "volume_usd": 5e6, "volume_24h_usd": 1e6,
    "liquidity_usd": 0.0, "fee_schedule": '{"rate": 0.05, "exponent": 1}', "resolution_source": "the league", "twap_s": None,
}  # fmt: skip
FULL = {
    "last_trade": 0.4, "volume_usd": 900.0, "volume_24h_usd": 80.0, "liquidity_usd": 50.0, "fee_rate": 0.05, "tick": 0.01, "volume_change_usd": 9.0, "volume_change_h": 0.5,
}  # fmt: skip

Books = dict[float, tuple[float | None, float | None]]
# Every five minutes of thirty hours, down to an hour before the close; the sibling costs what is left.
TIMES = [n / 12 for n in range(12, 12 * 30)]
BOOKS: Books = {
    hours: (0.40 + round(hours * 84) % 11 / 100, 0.42 + round(hours * 84) % 11 / 100) for hours in TIMES
}
LEVELS = [{"price_e6": 10_000 * n, "size_e6": 10**8 * (n % 7 + 1)} for n in range(100)]


def recorded(lake: Lake, books: Books) -> dict[float, dict[str, Any]]:
    """Rows by horizon of a market, and of its sibling, whose books were sampled just before each; its trades were heard."""
    publish(lake, "markets", [market(name, LISTED_AT + HOUR, CLOSE, **MARKET) for name in "ab"])
    of = {"tier": "t2", **FULL}
    rows = [
        snapshot(name, CLOSE - hours * HOUR, *side, **of)
        for hours, book in books.items()
        for name, side in (("a", book), ("b", _other(book)))
    ]
    publish(lake, "snapshots", rows)
    publish(
        lake,
        "orderbooks",
        [
            {
                "market_id": "pm:a",
                "slot_at": CLOSE - hours * HOUR,
                "received_at": CLOSE - hours * HOUR,
                "tier": "t2",
                "token_id": "1",
                "hash": "",
                **_levels(book),
            }
            for hours, book in books.items()
        ],
    )
    publish(
        lake,
        "trades_raw",
        [
            {
                **{name: value for name, value in trade.items() if name != "traded_at"},
                "session_id": "s",
                "connection": 1,
                "sequence": n,
                "received_at": trade["traded_at"],
                "venue_at": trade["traded_at"],
                "token_id": "1",
            }
            for n, trade in enumerate(_trades(books))
        ],
    )
    return _by_horizon(of_recordings.recorded(lake, Span(NOON, CLOSE)).to_pylist())


def history(lake: Lake, books: Books, known_as: str) -> dict[float, dict[str, Any]]:
    """The same market as a source of the past gives it."""
    source = "sports_closing" if known_as == ONE_PRICE else "polymarket"
    publish(
        lake,
        "history_markets",
        [closed_market(f"pm:{name}", CLOSE, source=source, **MARKET) for name in "ab"],
    )
    due = [1] if known_as == ONE_PRICE else list(books)
    publish(
        lake,
        "history_prices",
        [
            _price(name, hours, side, known_as, source)
            for hours in due
            for name, side in (("a", books[hours]), ("b", _other(books[hours])))
        ],
    )
    if known_as == QUOTED:
        publish(
            lake,
            "history_books",
            [
                {
                    "market_id": "pm:a",
                    "booked_at": CLOSE - hours * HOUR,
                    "known_at": CLOSE - hours * HOUR,
                    "received_at": CLOSE + HOUR,
                    "source": source,
                    "close_day": NOON.date(),
                    **_levels(book),
                }
                for hours, book in books.items()
            ],
        )
    if known_as != ONE_PRICE:
        publish(
            lake,
            "history_trades",
            [
                {
                    **trade,
                    "n": 0,
                    "received_at": CLOSE + HOUR,
                    "truncated": False,
                    "source": source,
                    "close_day": NOON.date(),
                }
                for trade in _trades(books)
            ],
        )
    return _by_horizon(of_history.history(lake, NOON.date()).to_pylist())  # fmt: skip


def _other(book: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    bid, ask = book
    return None if ask is None else 1 - ask, None if bid is None else 1 - bid


def _levels(book: tuple[float | None, float | None]) -> dict[str, Any]:
    bid, ask = (None if side is None else round(side * 100) for side in book)
    return {
        "bids": [] if bid is None else LEVELS[bid : bid - 8 : -1],
        "asks": [] if ask is None else LEVELS[ask : ask + 8],
    }


def _trades(books: Books) -> list[dict[str, Any]]:
    """One a minute before each price, as a row of both tables has it."""
    return [
        {
            "market_id": "pm:a", "traded_at": CLOSE - hours * HOUR - MINUTE, "outcome_index": n % 2, "is_buy": n % 3 > 0, "price_e6": 400_000, "size_e6": 10**7 * (n % 400 + 1),
            "tx_hash": n.to_bytes(32),
        }
        for n, hours in enumerate(books)
    ]  # fmt: skip


def _price(name: str, hours: float, book: tuple[float | None, float | None], known_as: str, source: str) -> dict[str, Any]:  # fmt: skip
    at, (bid, ask) = CLOSE - hours * HOUR, book
    if known_as == QUOTED:
        return price(f"pm:{name}", at, None, bid_e6=_e6(bid), ask_e6=_e6(ask), fidelity_s=300, source=source)
    assert bid is not None
    assert ask is not None
    return price(f"pm:{name}", at, _e6((bid + ask) / 2), fidelity_s=300, source=source)


def _e6(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars * 1e6)


def _by_horizon(rows: list[dict[str, Any]]) -> dict[float, dict[str, Any]]:
    return {
        round(row["horizon_h"], 6): row
        for row in rows
        if round(row["horizon_h"], 6) in HOURS and row["market_id"] == "pm:a"
    }


def rows_of(lake: Lake, known_as: str) -> dict[float, dict[str, Any]]:
    return recorded(lake, BOOKS) if known_as == RECORDED else history(lake, BOOKS, known_as)


def test_every_feature_says_who_can_know_it() -> None:
    """A feature that nobody thought about would be zero, or of the end, where it is not known."""
    assert set(KNOWS) == {column.name for column in CATALOGUE}


@pytest.mark.parametrize("known_as", EVERYBODY)
def test_a_feature_is_null_exactly_where_its_source_cannot_know_it(lake: Lake, known_as: str) -> None:
    """Zero would be a value: a spread of nothing, a market without volume."""
    row = rows_of(lake, known_as)[1]
    known = {name for name in KNOWS if row[name] is not None}
    assert known == {name for name, who in KNOWS.items() if known_as in who}


@pytest.mark.parametrize("known_as", HISTORY)
def test_what_both_can_know_is_the_same_in_both(lake: Lake, tmp_path: Any, known_as: str) -> None:
    """A model trained on history would read another question in what is recorded."""
    live, past = recorded(lake, BOOKS), history(Lake(tmp_path / "past"), BOOKS, known_as)
    assert set(past) == ({1} if known_as == ONE_PRICE else set(HOURS))
    for horizon, row in past.items():
        assert_same(live[horizon], row, known_as)


def assert_same(live: dict[str, Any], past: dict[str, Any], known_as: str) -> None:
    """Equal in identity and in every feature that this kind of history knows."""
    names = [name for name, who in KNOWS.items() if known_as in who and name not in OF_CADENCE]
    for name in ("market_id", "as_of", "event_id", "group_id", "scheduled_end", *names):
        assert live[name] == (pytest.approx(past[name]) if isinstance(past[name], float) else past[name]), (
            name
        )


@pytest.mark.parametrize(
    ("known_as", "sources"),
    [
        (RECORDED, ["markets", "snapshots", "orderbooks", "trades_raw"]),
        (QUOTED, ["history_markets", "history_prices", "history_books", "history_trades"]),
        (DISPLAYED, ["history_markets", "history_prices", "history_trades"]),
        (ONE_PRICE, ["history_markets", "history_prices"]),
    ],
)
def test_a_row_says_which_tables_fed_it(lake: Lake, known_as: str, sources: list[str]) -> None:
    """And is the same when every other table is full of something else."""
    before = rows_of(lake, known_as)
    assert before[1]["sources"] == sources
    other = history if known_as == RECORDED else lambda lake, books, _: recorded(lake, books)
    other(lake, dict.fromkeys(TIMES, (0.80, 0.82)), QUOTED)
    again = (
        of_recordings.recorded(lake, Span(NOON, CLOSE))
        if known_as == RECORDED
        else of_history.history(lake, NOON.date())
    )
    assert _by_horizon(again.to_pylist()) == before


EDGES = (None, 0.01, 0.02, 0.05, 0.12, 0.4, 0.41, 0.5, 0.51, 0.88, 0.95, 0.98, 0.99)


def test_any_book_says_the_same_recorded_and_fetched(lake: Lake) -> None:
    """One-sided, wide, crossed, at the edge: no book has a price in one and none in the other."""
    at = CLOSE - HOUR
    books = {f"b{n}": book for n, book in enumerate(itertools.product(EDGES, EDGES))}
    publish(lake, "markets", [market(name, LISTED_AT, CLOSE, **MARKET) for name in books])
    publish(lake, "snapshots", [snapshot(name, at, bid, ask, **FULL) for name, (bid, ask) in books.items()])
    publish(lake, "history_markets", [closed_market(f"pm:{name}", CLOSE, source="polymarket", **MARKET) for name in books])  # fmt: skip
    quotes = [price(f"pm:{name}", at, None, bid_e6=_e6(bid), ask_e6=_e6(ask), close_day=NOON.date(), source="polymarket") for name, (bid, ask) in books.items()]  # fmt: skip
    publish(lake, "history_prices", quotes)
    live = {row["market_id"]: row for row in of_recordings.recorded(lake, Span(at, at + HOUR)).to_pylist() if row["horizon_h"] == 1}  # fmt: skip
    past = {row["market_id"]: row for row in of_history.history(lake, NOON.date()).to_pylist() if row["horizon_h"] == 1}  # fmt: skip
    assert len(live) == len(past) == len(books)
    for market_id, row in past.items():
        assert_same(live[market_id], row, QUOTED)


def test_a_displayed_price_does_not_mend_a_book_with_one_side(lake: Lake) -> None:
    """Recorded, such a book has no mid; the same row of history must not have one either."""
    publish(lake, "history_markets", [closed_market("pm:a", CLOSE, source="polymarket", **MARKET)])
    publish(lake, "history_prices", [price("pm:a", CLOSE - HOUR - MINUTE, 600_000, ask_e6=650_000, source="polymarket")])  # fmt: skip
    row = _by_horizon(of_history.history(lake, NOON.date()).to_pylist())[1]
    assert (row["mid"], row["logit_mid"], row["spread_c"]) == (None, None, None)


def test_the_age_of_a_market_nobody_saw_listed_is_not_known(lake: Lake) -> None:
    """Recorded, it counts from when it was first seen; of history nobody saw anything."""
    publish(lake, "markets", [market("a", NOON, CLOSE, **{**MARKET, "listed_at": None})])
    publish(lake, "snapshots", [snapshot("a", CLOSE - HOUR, 0.4, 0.42)])
    live = _by_horizon(of_recordings.recorded(lake, Span(NOON, CLOSE)).to_pylist())[1]
    assert live["age_h"] == pytest.approx(math.log1p((CLOSE - HOUR - NOON) / timedelta(hours=1)))
    publish(lake, "history_markets", [closed_market("pm:a", CLOSE, source="polymarket", **{**MARKET, "listed_at": None})])  # fmt: skip
    publish(lake, "history_prices", [price("pm:a", CLOSE - HOUR, 400_000, source="polymarket")])
    past = _by_horizon(of_history.history(lake, NOON.date()).to_pylist())[1]
    assert (past["age_h"], past["life_frac"]) == (None, None)
