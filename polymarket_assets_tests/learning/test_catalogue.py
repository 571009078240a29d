"""The expressions of the catalogue: every declared feature, defined for every book there can be."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.schemas.learning import CATALOGUE
from polymarket_assets.learning.evidence import grid, quotes, rows
from polymarket_assets.learning.features import documenting
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.learning.features.declaring import SOURCES, Feature
from polymarket_assets.learning.training.choosing import chosen
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.learning.rows import NOON

_TEXT, _REAL, _AT, _WORDS = pa.string(), pa.float64(), pa.timestamp("us", tz="UTC"), pa.list_(pa.string())
LIVES = pa.schema(
    [
        ("life", pa.int64()), ("m", pa.int64()), ("known_from_us", pa.int64()), ("known_to_us", pa.int64()), ("set_no", pa.int64()), ("is_neg_risk", pa.bool_()),
        *((name, _TEXT) for name in ("market_id", "source", "event_id", "neg_risk_id", "game_id", "question", "listed_category", "book_source", "trade_source")),
        *((name, _AT) for name in ("scheduled_end", "first_known_at", "starts_at")), ("sources", _WORDS), ("outcomes", _WORDS), ("close_moves", _REAL),
    ]
)  # fmt: skip
QUOTES = pa.schema(
    [
        ("m", pa.int64()), ("at_us", pa.int64()), ("tie", pa.int64()), ("spacing_us", pa.int64()), ("stands_us", pa.int64()), ("fresh_us", pa.int64()), ("is_listened", pa.bool_()), ("tier_then", _TEXT),
        *((name, _REAL) for name in ("bid", "ask", "shown_price", "last_trade", "tick_usd", "taker_rate", "liquidity_usd", "volume_usd", "volume_24h_usd", "volume_change_usd", "volume_change_h")),
    ]
)  # fmt: skip
AT_US = grid.us(NOON)
PLAIN: dict[str, Any] = {
    "market_id": "pm:a", "source": "recorded", "event_id": "e", "question": "Will it rain?", "listed_category": "weather",
    "scheduled_end": NOON + timedelta(hours=1), "first_known_at": NOON - timedelta(hours=3), "life": 1, "m": 1, "known_from_us": 0, "known_to_us": grid.NEVER_US,
    "sources": ["markets"], "outcomes": ["Yes", "No"], "is_neg_risk": False, "book_source": "orderbooks", "trade_source": "trades_raw",
    "bid": 0.40, "ask": 0.44, "last_trade": 0.41, "tick_usd": 0.01, "taker_rate": 0.05, "at_us": AT_US, "spacing_us": 15_000_000, "stands_us": 30_000_000,
    "fresh_us": 22_000_000, "is_listened": False, "tier_then": "t4", "liquidity_usd": 1000.0, "volume_usd": 0.0, "close_moves": 2.0,
}  # fmt: skip
EMPTY = {
    "heard": "select 0::bigint as m, 0::bigint as since_us where false", "shares": "select null::bigint as m, 0::bigint as share", "alive": "select 0::bigint as share, 0::bigint as first_us where false", "deaf": "select 0::bigint as m, 0::bigint as from_us, 0::bigint as to_us where false",
    "dealt": "select 0::bigint as m, 0::bigint as at_us, 0::bigint as usd_e6, true as is_for, true as is_known, 0::bigint as copy_of where false",
    "booked": "select 0::bigint as m, 0::bigint as at_us, 0::bigint as tie, [{'price_e6': 0::integer, 'size_e6': 0::bigint}] as bids, [{'price_e6': 0::integer, 'size_e6': 0::bigint}] as asks where false",
}  # fmt: skip


def computed(
    given: dict[str, Any], tables: dict[str, pa.Table] | None = None, **relations: str
) -> list[dict[str, Any]]:
    """Features at noon of one market with one price; what of it is not given is plain."""
    row = PLAIN | given
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register(
            "lives",
            pa.Table.from_pylist(
                [row], schema=LIVES.append(pa.field("tick_usd", _REAL)).append(pa.field("taker_rate", _REAL))
            ),
        )
        connection.register("raw", pa.Table.from_pylist([row], schema=QUOTES))
        connection.execute(f"create temp table quoted as {quotes.quoted('raw')}")
        connection.execute(
            f"create temp table instants as select 1::bigint as m, 1::bigint as life, {AT_US}::bigint as as_of_us, 1.0::double as horizon_h"
        )
        for name, table in (tables or {}).items():
            connection.register(name, table)
        for name, sql in {**EMPTY, **relations}.items():
            connection.execute(f"create temp table {name} as {sql}")
        return rows.computed(connection).to_pylist()


def test_the_document_is_what_is_declared() -> None:
    """After a change: `python -m polymarket_assets.learning docs > docs/features.md`."""
    assert (PROJECT / "docs" / "features.md").read_text(encoding="utf-8") == documenting.markdown()


def test_there_are_as_many_as_were_promised_and_names_are_columns() -> None:
    assert len(FEATURES) >= 75
    assert [feature.name for feature in FEATURES] == [column.name for column in CATALOGUE]
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_declaration_says_everything(feature: Feature) -> None:
    """A reader who wonders about a number finds what it is, of what, from when, and why it is missing."""
    assert all(
        (feature.what, feature.unit, feature.back, feature.null, feature.leak, feature.idea, feature.sql)
    )
    assert set(feature.sources.split()) <= set(SOURCES)
    assert feature.is_required <= (feature.null == "never")
    assert feature.is_signed <= ("T" in feature.sources and "sign" in feature.leak)


def test_a_model_learns_from_signs_only_where_they_are_known() -> None:
    signed = {feature.name for feature in FEATURES if feature.is_signed}
    assert signed == {"sflow_5m", "sflow_1h", "sflow_24h", "vpin_24h", "whale_sflow_24h", "kyle_24h"}
    for quality, learnt in (([0.5, None], set()), ([None, None], set()), ([0.95, 1.0, None], signed)):
        rows = pa.table({"sign_quality": pa.array(quality, pa.float64())})
        assert set(chosen(rows)) & signed == learnt


def test_values_of_a_plain_row() -> None:
    row = computed({})[0]
    wanted = {
        "mid": 0.42, "logit_mid": math.log(0.42 / 0.58), "spread_c": 4.0,
        "spread_logit": math.log(0.44 / 0.56) - math.log(0.40 / 0.60), "micro_dev_c": None, "last_trade_dev_c": -1.0,
        "edge_ticks": 42.0, "hurdle_c": 2 + 5 * 0.42 * 0.58, "tick_c": 1.0, "fee_rate": 0.05, "log_liq": math.log(1001), "log_cumvol": 0.0,
        "age_h": math.log(4), "hours_to_end": math.log(2), "life_frac": 0.75, "hours_to_start": None, "end_moves": 2.0,
        "tod_sin": 0.0, "tod_cos": -1.0, "dow": 0,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == {
        name: value if value is None else pytest.approx(value, abs=1e-9) for name, value in wanted.items()
    }


@pytest.mark.parametrize(
    ("what", "book", "mid"),
    [
        ("two-sided", {"bid": 0.40, "ask": 0.50}, 0.45),
        ("no bid", {"bid": None, "ask": 0.50}, None),
        ("no ask", {"bid": 0.40, "ask": None}, None),
        ("wide: a guess between two orders", {"bid": 0.40, "ask": 0.51}, None),
        ("crossed", {"bid": 0.50, "ask": 0.40}, None),
        ("no quotes, a displayed price", {"bid": None, "ask": None, "shown_price": 0.3}, 0.3),
        ("one quote is not mended by a displayed price", {"bid": None, "ask": 0.5, "shown_price": 0.3}, None),
        ("quotes before a displayed price", {"bid": 0.40, "ask": 0.50, "shown_price": 0.3}, 0.45),
        (
            "wide quotes are not mended by a displayed price",
            {"bid": 0.1, "ask": 0.9, "shown_price": 0.3},
            None,
        ),
    ],
)
def test_the_mid(what: str, book: dict[str, Any], mid: float | None) -> None:
    assert computed(book)[0]["mid"] == (mid if mid is None else pytest.approx(mid))


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Will X happen by June 30?", True),
        ("Ceasefire before 2027?", True),
        ("Will Y resign by the end of March?", True),
        ("Bitcoin above 100k by Friday?", True),
        ("Will the bill pass before Q3?", True),
        ("Rate cut by 12/31?", True),
        ("Lakers vs. Celtics", False),
        ("Will the Lakers win by 10 points?", False),
        ("Highest temperature in London on April 9?", False),
        ("Bitcoin Up or Down - June 3, 5PM ET", False),
        ("Directed by Nolan?", False),
        (None, False),
    ],
)
def test_wording_of_a_deadline(question: str | None, wanted: bool) -> None:
    assert computed({"question": question})[0]["by_deadline"] is wanted


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        ("Sports", "sports"),
        ("climate", "weather"),
        (" Crypto ", "crypto"),
        ("never seen", "other"),
        (None, "other"),
    ],
)
def test_categories_are_a_fixed_list(listed: str | None, wanted: str) -> None:
    assert computed({"listed_category": listed})[0]["category"] == wanted


price = st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 1000))
amount = st.one_of(st.none(), st.floats(0, 1e12))


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("bid", "ask", "shown_price", "last_trade"), price),
            "tick_usd": st.sampled_from([None, 0.1, 0.01, 0.005, 0.0025, 0.001]),
            "taker_rate": st.sampled_from([None, 0.0, 0.07]),
            **dict.fromkeys(("liquidity_usd", "volume_usd"), amount),
            **dict.fromkeys(("volume_24h_usd", "volume_change_usd", "volume_change_h"), amount),
            "scheduled_end": st.timedeltas(timedelta(days=-30), timedelta(days=400)).map(lambda left: NOON + left),
            "first_known_at": st.one_of(st.none(), st.timedeltas(timedelta(days=-400), timedelta(0)).map(lambda ago: NOON + ago)),
            "outcomes": st.sampled_from([["Yes", "No"], ["YES", "NO"], ["Up", "Down"], ["A", "B", "C"], []]),
        }
    )
)  # fmt: skip
def test_no_book_gives_an_infinity_or_an_exception(row: dict[str, Any]) -> None:
    found = computed(row)[0]
    numbers = {name: value for name, value in found.items() if isinstance(value, float)}
    assert all(math.isfinite(value) for value in numbers.values()), numbers
    assert found["mid"] is None or 0 <= found["mid"] <= 1


level = st.fixed_dictionaries(
    {
        "price_e6": st.integers(0, 100).map(lambda n: n * 10_000),
        "size_e6": st.sampled_from([0, 1, 5 * 10**6, 10**12, 10**18]),
    }
)
side = st.lists(level, max_size=6, unique_by=lambda at: at["price_e6"])
trade = st.tuples(
    st.integers(-90_000, 5), st.sampled_from([0, 1, 10**6, 10**14]), st.booleans(), st.booleans()
)


@settings(max_examples=40, deadline=None)
@given(side, side, st.lists(trade, max_size=60), st.booleans())
def test_no_levels_and_no_trades_give_an_infinity_or_an_exception(
    bids: list[dict[str, int]],
    asks: list[dict[str, int]],
    trades: list[tuple[int, int, bool, bool]],
    with_price: bool,
) -> None:
    """Empty, one-sided, crossed, all sizes 0, more than all the money there is; one trade, equal instants, none."""
    ordered = sorted(bids, key=lambda at: -at["price_e6"]), sorted(asks, key=lambda at: at["price_e6"])
    books = pa.table(
        {
            "m": [1],
            "at_us": [AT_US - 1],
            "tie": [0],
            **{
                name: pa.array([levels], TABLES["orderbooks"].schema.field("bids").type)
                for name, levels in zip(("bids", "asks"), ordered, strict=True)
            },
        }
    )
    dealt = [
        (1, AT_US + s * 1_000_000, usd, buys, known, n) for n, (s, usd, buys, known) in enumerate(trades)
    ]
    names = ("m", "at_us", "usd_e6", "is_for", "is_known", "copy_of")
    held = pa.table(
        {
            name: pa.array([row[n] for row in dealt], pa.bool_() if name.startswith("is_") else pa.int64())
            for n, name in enumerate(names)
        }
    )
    since = f"select 1::bigint as m, {AT_US - 90_000_000_000} as since_us"
    found = computed(
        {} if with_price else {"ask": None},
        {"books": books, "held": held},
        booked="from books",
        dealt="from held",
        heard=since,
    )[0]
    assert all(math.isfinite(value) for value in found.values() if isinstance(value, float)), found
    assert found["n_tr_24h"] == pytest.approx(math.log(1 + sum(-86_400 <= s < 0 for s, *_ in trades)))
    for name in (
        "imb_top",
        "imb_2c",
        "imb_5c",
        "sflow_5m",
        "sflow_24h",
        "whale_sflow_24h",
        "vpin_24h",
        "book_entropy",
        "sign_quality",
    ):
        assert found[name] is None or -1 - 1e-9 <= found[name] <= 1 + 1e-9, name
