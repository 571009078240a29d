"""Features of closed markets: prices as of when they could be known, and nulls for what was fetched later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence import history as of_history
from polymarket_assets.learning.evidence.history import OLDEST_IRREGULAR_S
from polymarket_assets_tests.learning.rows import HOUR, MINUTE, NOON, SECOND, closed_market, price, publish

DAY = NOON.date()
CLOSE = NOON + 6 * HOUR
DAYS = 24 * HOUR


def rows(lake: Lake, day: Any = DAY) -> list[dict[str, Any]]:
    return of_history.history(lake, day).to_pylist()


def by_horizon(lake: Lake) -> dict[float, dict[str, Any]]:
    return {row["horizon_h"]: row for row in rows(lake)}


def test_rows_lie_on_the_grid_and_hold_the_last_price_known(lake: Lake) -> None:
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE)])
    publish(lake, "history_prices", [price("weather:a", CLOSE - n * HOUR, 1000 * n) for n in range(1, 30)])
    found = by_horizon(lake)
    assert sorted(found) == [
        0.25,
        0.5,
        1,
        2,
        3,
        4,
        6,
        8,
        12,
        18,
    ]  # of the day; 24 h before lies in the day before
    assert {h: row["mid"] for h, row in found.items() if h >= 1} == {h: h / 1000 for h in found if h >= 1}
    assert found[0.25]["mid"] == 0.001
    assert {row["source"] for row in found.values()} == {"weather"}


def test_a_market_without_any_price_has_no_rows(lake: Lake) -> None:
    """Its siblings, books and trades are there all the same."""
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE, event_id="e"), closed_market("weather:b", CLOSE, event_id="e")])  # fmt: skip
    assert rows(lake) == []
    publish(lake, "history_prices", [price("weather:b", CLOSE - HOUR, 400_000)])
    assert {row["market_id"] for row in rows(lake)} == {"weather:b"}


def test_what_was_fetched_after_the_close_is_null_never_zero(lake: Lake) -> None:
    """The last tick of a market tells whether its price went to the edge; its volume, how it ended (L2)."""
    late = {"tick_e6": 1000, "volume_usd": 5e6, "liquidity_usd": 0.0, "fee_schedule": '{"rate": 0.05}'}
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE, **late)])
    publish(lake, "history_prices", [price("weather:a", CLOSE - HOUR, 400_000)])
    row = by_horizon(lake)[1.0]
    unknowable = (
        "tick_c",
        "log_cumvol",
        "log_liq",
        "fee_rate",
        "hurdle_c",
        "end_moves",
        "micro_dev_c",
        "last_trade_dev_c",
        "edge_ticks",
        "spread_c",
    )
    assert {name: row[name] for name in unknowable} == dict.fromkeys(unknowable)


def test_a_price_counts_from_when_it_could_be_known(lake: Lake) -> None:
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE)])
    late = price("weather:a", CLOSE - 65 * MINUTE, 900_000, known_at=CLOSE - HOUR + SECOND)
    publish(lake, "history_prices", [price("weather:a", CLOSE - 90 * MINUTE, 400_000), late])
    found = by_horizon(lake)
    assert found[1.0]["mid"] == 0.4
    assert found[0.5]["mid"] == 0.9


@pytest.mark.parametrize(
    ("fidelity_s", "age", "used"),
    [
        (3600, 2 * HOUR, True),
        (3600, 2 * HOUR + SECOND, False),
        (10, 2 * MINUTE, True),
        (10, 3 * MINUTE, False),
        (0, timedelta(seconds=OLDEST_IRREGULAR_S), True),
        (0, timedelta(seconds=OLDEST_IRREGULAR_S + 1), False),
    ],
)
def test_old_prices_say_nothing(lake: Lake, fidelity_s: int, age: timedelta, used: bool) -> None:
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE)])
    publish(lake, "history_prices", [price("weather:a", CLOSE - HOUR - age, 400_000, fidelity_s=fidelity_s)])
    assert (1.0 in by_horizon(lake)) is used


def test_quotes_make_the_mid_and_one_side_makes_none(lake: Lake) -> None:
    publish(lake, "history_markets", [closed_market("us:a", CLOSE, source="us")])
    quotes = [
        price("us:a", CLOSE - 4 * HOUR, None, bid_e6=400_000, ask_e6=420_000, source="us"),
        price("us:a", CLOSE - 2 * HOUR, None, ask_e6=420_000, source="us"),
    ]
    publish(lake, "history_prices", quotes)
    found = by_horizon(lake)
    assert (found[4.0]["mid"], found[4.0]["spread_c"]) == (pytest.approx(0.41), pytest.approx(2.0))
    assert (found[2.0]["mid"], found[2.0]["spread_c"]) == (None, None)


def test_rows_end_when_trading_ends_and_begin_when_it_begins(lake: Lake) -> None:
    early = closed_market("weather:a", CLOSE, closed_at=CLOSE - 3 * HOUR, listed_at=CLOSE - 10 * HOUR)
    publish(lake, "history_markets", [early])
    publish(lake, "history_prices", [price("weather:a", CLOSE - n * HOUR, 1000 * n) for n in range(1, 30)])
    assert sorted(by_horizon(lake)) == [4.0, 6.0, 8.0]


def test_markets_that_closed_weeks_after_their_scheduled_end_keep_their_early_rows(lake: Lake) -> None:
    """Listing only what closed near its schedule would choose rows by how they ended."""
    scheduled = NOON + timedelta(days=14)
    late = closed_market(
        "weather:a", scheduled, closed_at=scheduled + timedelta(days=30), listed_at=NOON - 24 * HOUR
    )
    publish(lake, "history_markets", [late])
    publish(lake, "history_prices", [price("weather:a", NOON, 500_000, close_day=late["closed_at"].date())])
    assert [row["horizon_h"] for row in rows(lake)] == [336.0]


def test_a_source_with_one_price_decides_at_that_price(lake: Lake) -> None:
    start = NOON + 7 * MINUTE
    game = closed_market(
        "sports_closing:a", start + 3 * HOUR, source="sports_closing", outcomes=["Magic", "Hornets"]
    )
    publish(lake, "history_markets", [game])
    publish(
        lake,
        "history_prices",
        [price("sports_closing:a", start, 635_000, source="sports_closing", fidelity_s=0)],
    )
    (row,) = rows(lake)
    assert (row["as_of"], row["horizon_h"], row["mid"], row["yesno_labels"]) == (start, 3.0, 0.635, False)


def test_days_computed_together_equal_days_computed_alone(lake: Lake) -> None:
    """Or a backfill and a repetition of one of its days would disagree."""
    late = closed_market("weather:b", NOON + 3 * DAYS, closed_at=NOON + 51 * DAYS)
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE + DAYS), late])
    publish(lake, "history_prices", [price("weather:a", CLOSE + n * HOUR, 1000 * n) for n in range(1, 24)])
    publish(
        lake,
        "history_prices",
        [
            price("weather:b", NOON + n * 2 * HOUR, 5000, close_day=late["closed_at"].date())
            for n in range(40)
        ],
        part="b",
    )
    span = Span(NOON - 12 * HOUR, NOON + 5 * DAYS + 12 * HOUR)
    written = list(of_history.publish_history_days(lake, span))
    # The late closer is in the files of both blocks, but too far ahead of the first two days.
    assert [w.rows for w in written][:3] == [0, 10, 3]
    for day, one in zip(span.days(), written, strict=True):
        together = lake.store.read_bytes(one.path)
        assert of_history.publish_history(lake, day) == one
        assert lake.store.read_bytes(one.path) == together


def test_a_day_lies_in_its_own_folder_and_is_replaced_whole(lake: Lake) -> None:
    publish(lake, "history_markets", [closed_market("weather:a", CLOSE)])
    publish(lake, "history_prices", [price("weather:a", CLOSE - HOUR, 400_000)])
    of_history.publish_history(lake, DAY)
    written = of_history.publish_history(lake, DAY)
    assert written.path == "features/date=2026-03-02/part-history.parquet"
    assert reading.rows(lake, "features").num_rows == written.rows == 3


VENUE_ID = f"pm:0x{1:064x}"
CONDITION = VENUE_ID.removeprefix("pm:")


def told(source: str, key: str = VENUE_ID, **more: Any) -> dict[str, Any]:
    """A market of the venue as one source tells of it."""
    return closed_market(key, CLOSE, source=source, condition_id=CONDITION, **more)


def put_by_source(lake: Lake, markets: list[dict[str, Any]], prices: list[dict[str, Any]]) -> None:
    """Each source has a part of its own, as imports and the venue's history have."""
    for table, held in (("history_markets", markets), ("history_prices", prices)):
        for source in {row["source"] for row in held}:
            publish(lake, table, [row for row in held if row["source"] == source], part=source)


def priced(source: str, price_e6: int, key: str = VENUE_ID, **more: Any) -> list[dict[str, Any]]:
    day = {"close_day": CLOSE.date()}
    return [price(key, CLOSE - n * HOUR, price_e6, source=source, **day, **more) for n in range(1, 30)]


@pytest.mark.parametrize(
    ("sources", "spoken"),
    [
        ({"polymarket": {}, "fb": {}}, "polymarket"),
        # The venue's own prices come first, however fine another's are.
        ({"polymarket": {}, "mlb": {"fidelity_s": 0}}, "polymarket"),
        ({"election2024": {"fidelity_s": 3600}, "fb": {"fidelity_s": 86_400}}, "election2024"),
        ({"zoo": {"fidelity_s": 0}, "fb": {"fidelity_s": 3600}}, "zoo"),
        ({"b": {}, "a": {}}, "a"),
        ({"sports_closing": {"fidelity_s": 0}, "fb": {}}, "fb"),
    ],
)  # fmt: skip
def test_one_source_speaks_for_a_market_that_several_tell_of(
    lake: Lake, sources: dict[str, dict[str, Any]], spoken: str
) -> None:
    """Otherwise a market counts twice, and the prices of one source stand at the instants of another."""
    prices = [
        row
        for n, (source, more) in enumerate(sources.items())
        for row in priced(source, 100_000 * (n + 1), **more)
    ]
    put_by_source(lake, [told(source) for source in sources], prices)
    found = rows(lake)
    assert {row["source"] for row in found} == {spoken}
    assert {row["mid"] for row in found} == {(list(sources).index(spoken) + 1) / 10}
    assert len(found) == len({row["as_of"] for row in found})


def test_a_source_without_prices_does_not_speak(lake: Lake) -> None:
    """A catalogue row of the venue's market must not silence the dataset that has its prices."""
    put_by_source(lake, [told("polymarket"), told("fb")], priced("fb", 300_000))
    assert {row["source"] for row in rows(lake)} == {"fb"}


def test_a_market_under_the_id_of_a_dataset_is_the_venues_all_the_same(lake: Lake) -> None:
    put_by_source(
        lake,
        [told("polymarket"), told("mlb", "mlb:77")],
        [*priced("polymarket", 400_000), *priced("mlb", 600_000, "mlb:77")],
    )
    assert {row["market_id"] for row in rows(lake)} == {VENUE_ID}


def test_a_market_is_over_when_the_first_source_says_so(lake: Lake) -> None:
    """What one source priced after another saw it close is known to be decided."""
    early = told("polymarket", closed_at=CLOSE - 4 * HOUR)
    put_by_source(lake, [early, told("fb")], priced("fb", 300_000))
    assert min(row["horizon_h"] for row in rows(lake)) > 4
