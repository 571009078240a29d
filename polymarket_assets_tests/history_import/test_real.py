"""The real datasets, as their README counts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from polymarket_assets.history_import import importing
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
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


# Source -> markets, labels, share won, price rows.
COUNTS = [
    ("btc15m_books", 4, 0, None, 2_794),
    ("btc5m", 292, 292, 0.469, 0),
    ("crypto15m_ticks", 8, 0, None, 12_775),
    ("crypto_hourly", 242, 238, 0.529, 14_202),
    ("election2024", 167, 104, 0.442, 369_086),
    ("fb", 690, 690, 0.164, 18_033),
    ("gamma_2024", 11_842, 11_367, 0.317, 0),
    ("general10m", 106, 106, 0.226, 254_489),
    ("mlb", 2_111, 2_111, 0.589, 149_827),
    ("sports_closing", 7_819, 7_796, 0.458, 7_816),
    ("trades", 824, 12, 0.333, 0),
    ("us", 15_213, 15_099, 0.38, 852_196),
    ("weather", 2_810, 2_810, 0.094, 153_231),
    ("weather_snapshots", 264, 0, None, 3_564),
]


def test_every_market_is_there_with_its_share_of_wins(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        with priced as (select source, count(*) as n from history_prices group by source)
        select m.source, count(*), count(label), round(avg(label), 3), coalesce(any_value(p.n), 0) from history_markets m
        left join (from resolutions qualify row_number() over (partition by market_id order by version desc) = 1) r using (market_id)
        left join priced p on p.source = m.source group by m.source order by m.source
    """).fetchall()
    assert found == COUNTS


def test_books_and_trades_are_there(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        select (select count(*) from history_books), (select count(*) from history_trades),
            (select count(distinct market_id) from history_trades)
    """).fetchall()
    assert found == [(149_827 + 2_794, 32_547, 824)]


# The market of a row of the index, by the keys its README names.
_ID = """
    case source when 'dineshkumar8399' then 'us:' || market_key when 'eduardoneville' then 'general10m:' || market_key
        when 'erikw03' then 'weather:' || market_key when 'yannick-o1' then 'crypto_hourly:' || market_key
        when 'yxf9tv' then 'mlb:' || token_id else 'pm:' || condition_id end
"""


def test_all_resolved_markets_of_the_index_are_there_and_ended_as_it_says(
    imported: duckdb.DuckDBPyConnection, datasets_dir: Path
) -> None:
    """The index was made by others from the same files: who disagrees with it has turned an outcome around."""
    found = imported.execute(
        f"""
        with indexed as (select {_ID} as market_id, label_source, outcome from read_parquet($index)),
        newest as (from resolutions qualify row_number() over (partition by market_id order by version desc) = 1)
        select count(*), count(*) filter (where market_id in (select market_id from history_markets)), count(label),
            count(*) filter (where label = outcome), count(*) filter (where label is null and state = 'ambiguous'
                and label_source = 'labels.source=convergence')
        from indexed left join newest using (market_id)
        """,
        {"index": str(datasets_dir / "resolved_index.parquet")},
    ).fetchall()
    # Labels inferred from the last price are none of ours: 72, and one of a market cut off by the outage.
    assert found == [(29_027, 29_027, 29_027 - 73, 29_027 - 73, 73)]


def test_no_row_lies_at_or_after_a_close_or_before_a_listing(imported: duckdb.DuckDBPyConnection) -> None:
    for table, at, known in (
        ("history_prices", "priced_at", "known_at"),
        ("history_books", "booked_at", "known_at"),
        ("history_trades", "traded_at", "traded_at"),
    ):
        ((rows, wrong),) = imported.execute(f"""
            select count(*), count(*) filter (where {at} >= closed_at or {known} >= closed_at or {known} < {at} or {at} < listed_at)
            from {table} join history_markets m using (market_id, close_day, source)
        """).fetchall()
        ((there,),) = imported.execute(f"select count(*) from {table}").fetchall()
        assert (rows, wrong) == (there, 0), table


def test_no_price_is_an_outcome(imported: duckdb.DuckDBPyConnection) -> None:
    """An order at 0 or 1 cannot rest: a price there is a settlement, or a recorder's word for nothing."""
    ((exact,),) = imported.execute(
        "select count(*) from history_prices where price_e6 in (0, 1000000)"
    ).fetchall()
    assert exact == 0


def test_no_key_stands_twice(imported: duckdb.DuckDBPyConnection) -> None:
    for table in ("history_markets", "history_prices", "history_books", "history_trades"):
        key = ", ".join((*TABLES[table].key, "source"))
        ((repeated,),) = imported.execute(
            f"select count(*) - count(distinct ({key})) from {table}"
        ).fetchall()
        assert repeated == 0, table


def test_exactly_one_bucket_of_a_weather_event_won(imported: duckdb.DuckDBPyConnection) -> None:
    found = imported.execute("""
        select count(*), min(won), max(won) from (
            select sum(label) as won from history_markets join resolutions using (market_id) where neg_risk and history_markets. source = 'weather' group by event_id
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
        select count(*) from resolutions r join history_markets m using (market_id, source)
        where label_seen_at <= greatest(m.closed_at, m.effective_close)
    """).fetchall()
    assert early == 0
