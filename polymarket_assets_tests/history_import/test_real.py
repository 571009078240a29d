"""The real datasets, as their README counts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from polymarket_assets.history_import import importing
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def imported(
    datasets_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection over a lake into which every known dataset was imported."""
    lake = Lake(tmp_path_factory.mktemp("real") / "lake")
    importing.run(lake, [datasets_dir], clock=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    with reading.connect(lake) as connection:
        yield connection


def test_every_market_is_there_with_its_share_of_wins(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        select m.source, count(*), count(label), round(avg(label), 3) from history_markets m
        join resolutions r using (market_id, source) group by m.source order by m.source
    """).fetchall()
    assert found == [
        ("sports_closing", 7_819, 7_796, 0.458),
        ("us", 15_207, 15_094, 0.38),
        ("weather", 2_810, 2_810, 0.094),
    ]


def test_no_price_lies_at_or_after_a_close_or_before_a_listing(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        select count(*), count(*) filter (where p.priced_at >= closed_at or p.known_at >= closed_at or p.priced_at < listed_at),
            count(*) filter (where p.price_e6 not between 0 and 1000000)
        from history_prices p join history_markets m using (market_id, close_day, source)
    """).fetchall()
    assert found == [(153_231 + 7_816 + 852_196, 0, 0)]


def test_exactly_one_bucket_of_a_weather_event_won(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        select count(*), min(won), max(won) from (
            select sum(label) as won from history_markets join resolutions using (market_id) where neg_risk group by event_id
        )
    """).fetchall()
    assert found == [(264, 1, 1)]


def test_the_closed_market_never_tells_its_effective_close(imported: duckdb.DuckDBPyConnection) -> None:
    """Delisting is when it was over: were it the effective close, hours to the end would tell the outcome."""
    ((same,),) = imported.execute(
        "select count(*) from history_markets where source = 'us' and effective_close = closed_at"
    ).fetchall()
    assert same == 0


def test_a_published_figure_moves_the_quotes_when_it_was_published(
    imported: duckdb.DuckDBPyConnection,
) -> None:
    """The June CPI came at 08:30 New York time, 12:30 UTC: a bid of 98 cents was gone two minutes later."""
    found = imported.execute("""
        select priced_at, bid_e6 from history_prices where market_id = 'us:cpic-uscpi-june-yoy-2026-07-14-gt3pt6pct'
            and priced_at between '2026-07-14T11:30:00Z' and '2026-07-14T12:35:00Z' order by priced_at
    """).fetchall()
    assert [(f"{at:%H:%M}", bid) for at, bid in found] == [("11:45", 980_000), ("12:32", None)]


def test_a_label_is_public_only_after_every_price_of_its_market(imported: duckdb.DuckDBPyConnection) -> None:
    ((early,),) = imported.execute("""
        select count(*) from resolutions r join history_markets m using (market_id)
        where label_seen_at <= greatest(m.closed_at, m.effective_close)
    """).fetchall()
    assert early == 0
