"""The expressions of the catalogue: every declared feature, defined for every book there can be."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.lake.schemas.learning import CATALOGUE
from polymarket_assets.learning.features import catalogue
from polymarket_assets_tests.learning.rows import NOON

EVIDENCE = pa.schema(
    [
        *((name, pa.string()) for name in ("market_id", "source", "event_id", "neg_risk_id", "game_id", "question", "listed_category")),
        *((name, pa.timestamp("us", tz="UTC")) for name in ("as_of", "scheduled_end", "first_known_at", "starts_at")),
        *((name, pa.list_(pa.string())) for name in ("sources", "outcomes")),
        ("is_neg_risk", pa.bool_()),
        *(
            (name, pa.float64())
            for name in (
                "horizon_h", "coverage", "bid", "ask", "shown_price", "microprice", "last_trade", "tick_usd", "taker_rate",
                "liquidity_usd", "volume_usd", "close_moves",
            )
        ),
    ]
)  # fmt: skip
PLAIN: dict[str, Any] = {
    "market_id": "pm:a", "source": "recorded", "event_id": "e", "question": "Will it rain?", "listed_category": "weather",
    "as_of": NOON, "scheduled_end": NOON + timedelta(hours=1), "first_known_at": NOON - timedelta(hours=3),
    "sources": ["markets"], "outcomes": ["Yes", "No"], "is_neg_risk": False, "horizon_h": 1.0, "coverage": 1.0,
    "bid": 0.40, "ask": 0.44, "microprice": 0.43, "last_trade": 0.41, "tick_usd": 0.01, "taker_rate": 0.05,
    "liquidity_usd": 1000.0, "volume_usd": 0.0, "close_moves": 2.0,
}  # fmt: skip


def computed(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("given", pa.Table.from_pylist([PLAIN | row for row in rows], schema=EVIDENCE))
        return catalogue.rows(connection, "given").to_pylist()


def test_every_declared_feature_has_an_expression_and_none_is_undeclared() -> None:
    assert set(catalogue.EXPRESSIONS) == {column.name for column in CATALOGUE}


def test_the_document_describes_every_feature() -> None:
    described = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    assert [column.name for column in CATALOGUE if f"`{column.name}`" not in described] == []


def test_values_of_a_plain_row() -> None:
    row = computed({})[0]
    wanted = {
        "mid": 0.42, "logit_mid": math.log(0.42 / 0.58), "spread_c": 4.0,
        "spread_logit": math.log(0.44 / 0.56) - math.log(0.40 / 0.60), "micro_dev_c": 1.0, "last_trade_dev_c": -1.0,
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
            **dict.fromkeys(("bid", "ask", "shown_price", "microprice", "last_trade"), price),
            "tick_usd": st.sampled_from([None, 0.1, 0.01, 0.005, 0.0025, 0.001]),
            "taker_rate": st.sampled_from([None, 0.0, 0.07]),
            **dict.fromkeys(("liquidity_usd", "volume_usd"), amount),
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
