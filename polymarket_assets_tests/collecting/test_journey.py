"""Each recorded REST payload travels to its table, by the clients, from a server that gives back the recorded bytes.

What the socket said travels in the streamer's tests (`test_a_recorded_capture_gives_exactly_its_rows`); the newer generation was recorded
in pieces only, so a whole market of it travels in `test_end_to_end`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets import venue
from polymarket_assets.collecting import catalogue, discovery, healing, history, resolving
from polymarket_assets.collecting.sweeping import Listed, sweep
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue import parse
from polymarket_assets.venue.services import Venue
from polymarket_assets_tests.venue import recorded
from simulator import running as simulator

# The minute in which the books of the Fed's June decision were recorded; its markets ended a month later.
BOOKS_AT = datetime(2026, 5, 17, 6, 1, tzinfo=UTC)
# After everything recorded.
LATER = datetime(2026, 10, 6, 12, tzinfo=UTC)
BOOKS, TRADES = "clob/books_post_fed_june_2026.json", "data/v2_trades_*"
CATALOGUE = [form for form in recorded.FORMS if form.parser is parse.listing]


@dataclass
class Replayed:
    """A lake, and clients of a venue that answers with what was recorded."""

    lake: Lake
    venue: Venue
    settings: Settings
    folder: Path

    def rows(self, table: str) -> list[dict[str, Any]]:
        return reading.rows(self.lake, table).to_pylist()

    def markets(self, *, closed: bool) -> dict[str, dict[str, Any]]:
        """The newest recorded row of every market of the catalogue, by market id."""
        names = [name for name in recorded.files(self.folder) if recorded.form_of(name) in CATALOGUE]
        rows = [row for name in names for row in recorded.rows(self.folder, name)]
        newest = {row["id"]: row for row in sorted(rows, key=lambda row: row.get("updatedAt") or "")}
        return {
            parse.listing(row).market.market_id: row for row in newest.values() if row["closed"] == closed
        }


@pytest.fixture
def replayed(recorded_dir: Path, tmp_path: Path) -> Iterator[Replayed]:
    with simulator.replay(recorded_dir) as running:
        settings = Settings(
            _env_file=None, state_dir=tmp_path / "state", polymarket_gamma_url=running.gamma_url,
            polymarket_clob_url=running.clob_url, polymarket_data_url=running.data_url,
            min_volume_usd=0.0, lookahead_hours=3 * 365 * 24, rate_share=1.0,
        )  # fmt: skip
        connected = venue.connect(settings)
        yield Replayed(Lake(tmp_path / "lake"), connected, settings, recorded_dir)
        connected.close()


def test_every_open_market_is_in_markets(replayed: Replayed) -> None:
    report = discovery.discover(replayed.lake, replayed.venue.gamma, replayed.settings, clock=lambda: LATER)
    assert (report.complete, report.malformed, report.left_out) == (True, 0, 0)
    stored = {row["market_id"]: row for row in replayed.rows("markets")}
    expected = replayed.markets(closed=False)
    assert len(expected) > 40
    assert stored.keys() == expected.keys()
    for market_id, row in expected.items():
        assert stored[market_id]["question"] == row["question"]
        assert stored[market_id]["token_ids"] == json.loads(row["clobTokenIds"])


def test_every_closed_market_is_in_markets_and_resolutions(replayed: Replayed) -> None:
    """As if they had been open when we first looked: discovery closes them, resolving says how they ended."""
    expected = replayed.markets(closed=True)
    assert len(expected) > 140
    before = [
        catalogue.market_row(parse.listing(row).market, LATER - timedelta(days=1))
        for row in expected.values()
    ]
    replayed.lake.publish_rows("markets", [{**row, "phase": "overdue"} for row in before], part="before", at=before[0]["received_at"])  # fmt: skip
    report = discovery.discover(replayed.lake, replayed.venue.gamma, replayed.settings, clock=lambda: LATER)
    resolved = resolving.resolve(replayed.lake, replayed.venue, clock=lambda: LATER + timedelta(minutes=1))
    assert report.closed == resolved.versions == len(expected)
    assert resolved.asked == len(expected) + resolved.states["open"]
    closed = {row["market_id"] for row in replayed.rows("markets") if row["phase"] == "closed"}
    told = {row["market_id"]: row for row in replayed.rows("resolutions")}
    assert closed == told.keys() == expected.keys()
    for market_id, row in told.items():
        if row["label"] is not None:
            assert json.loads(expected[market_id]["outcomePrices"]) == (
                ["1", "0"] if row["label"] else ["0", "1"]
            )


def test_markets_closed_near_their_end_are_in_history(replayed: Replayed) -> None:
    """One that closed months from its scheduled end is not found by a day's listing."""
    listings = {market_id: parse.listing(row) for market_id, row in replayed.markets(closed=True).items()}
    days: dict[date, set[str]] = {}
    for market_id, listing in listings.items():
        closed_at, end = listing.end.closed_at, listing.market.scheduled_end
        if (
            closed_at is not None
            and end is not None
            and (listing.market.volume_usd or 0) >= history.LEAST_VOLUME_USD
        ):
            day = datetime(closed_at.year, closed_at.month, closed_at.day, tzinfo=UTC)
            if day - history.ENDED_BEFORE <= end <= day + timedelta(days=1) + history.ENDED_AFTER:
                days.setdefault(day.date(), set()).add(market_id)
    for day in days:
        history.fetch_markets(replayed.lake, replayed.venue.gamma, day, clock=lambda: LATER)
    assert sum(map(len, days.values())) > 100
    assert {(row["close_day"], row["market_id"]) for row in replayed.rows("history_markets")} == {
        (day, market_id) for day, ids in days.items() for market_id in ids
    }


def test_recorded_books_are_in_orderbooks_and_snapshots(replayed: Replayed) -> None:
    """Canonical tokens are asked for: of each recorded pair one book, and nothing for markets without one."""
    discovery.discover(replayed.lake, replayed.venue.gamma, replayed.settings, clock=lambda: BOOKS_AT)
    listed = Listed(replayed.lake)
    listed.refresh(BOOKS_AT)
    # A sweep has until the next slot by the clock of the day on which they were recorded.
    replayed.venue.clob.service.clock = lambda: BOOKS_AT
    account = sweep(
        replayed.lake, replayed.venue.clob, BY_NAME["t0"], BOOKS_AT, listed, cap=1000, run_id="run", clock=lambda: BOOKS_AT
    )  # fmt: skip
    recorded_books = {book["asset_id"]: book for book in recorded.rows(replayed.folder, BOOKS)}
    stored = replayed.rows("orderbooks")
    assert account.books == len(stored) == len(recorded_books) / 2
    for row in stored:
        book = recorded_books[row["token_id"]]
        assert row["hash"] == book["hash"]
        for side in ("bids", "asks"):
            told = {(round(float(level["price"]) * 1e6), round(float(level["size"]) * 1e6)) for level in book[side]}  # fmt: skip
            assert {(level["price_e6"], level["size_e6"]) for level in row[side]} == told
    assert {row["hash"] for row in replayed.rows("snapshots")} == {row["hash"] for row in stored}


def known_market(market_id: str, at: datetime, **known: Any) -> dict[str, Any]:
    """A row of `markets` for a market whose own row was not recorded."""
    return {
        "market_id": market_id, "received_at": at, "phase": "overdue", "tier": "t4", "end_source": "none", "venue": "polymarket", "condition_id": market_id[3:],
        "outcomes": ["Yes", "No"], "token_ids": ["1", "2"], "neg_risk": False, "tags": [], "accepting_orders": True, **known,
    }  # fmt: skip


def test_recorded_trades_are_in_trades(replayed: Replayed) -> None:
    """Nobody listened in the hours they were made: they come from the Data API."""
    names = [name for name in recorded.files(replayed.folder) if name.startswith("data/v2_trades_")]
    made = {row["transaction_hash"]: row for name in names for row in recorded.rows(replayed.folder, name)}
    at = LATER - timedelta(days=1)
    markets = {f"pm:{row['condition_id']}": row["token_id"] for row in made.values()}
    rows = [known_market(id_, at, token_ids=["1", token]) for id_, token in markets.items()]
    replayed.lake.publish_rows("markets", rows, part="0", at=at)
    hours = {hour_of(datetime.fromtimestamp(row["timestamp"], UTC)) for row in made.values()}
    for hour in hours:
        gap = {"session_id": "s", "from_at": hour, "to_at": hour + timedelta(hours=1), "cause": "crashed"}
        gaps = [{**gap, "gap_id": market_id, "market_id": market_id} for market_id in markets]
        replayed.lake.publish_rows("stream_gaps", gaps, part="0", at=hour)
        healing.build_trades(replayed.lake, replayed.venue.data, hour, clock=lambda: LATER)
    stored = {f"0x{row['tx_hash'].hex()}": row for row in replayed.rows("trades")}
    assert len(hours) > 1
    assert stored.keys() == made.keys()
    for tx, row in stored.items():
        assert row["price_e6"] == round(made[tx]["price"] * 1e6)
        assert row["size_e6"] == round(made[tx]["size"] * 1e6)
        # Where the venue does not know the outcome yet (999), the token's place in its market tells.
        told = made[tx]["outcome_index"]
        assert (row["outcome_index"], row["source"]) == (1 if told == 999 else told, "rest")


def test_recorded_prices_are_in_history_prices(replayed: Replayed) -> None:
    row = next(row for row in replayed.markets(closed=False).values() if row["id"] == "5308512")
    closed_at = datetime(2026, 10, 5, 23, 16, tzinfo=UTC)
    market = catalogue.history_row(parse.listing(row).market, closed_at, closed_at.date(), LATER)
    replayed.lake.publish_rows("history_markets", [market], part=history.PART, at=closed_at.date())
    history.fetch_prices(replayed.lake, [replayed.venue.data], closed_at.date(), clock=lambda: LATER)
    page = recorded.rows(replayed.folder, "data/v2_prices_history_page1_2026_10_05.json")
    assert [
        (row["priced_at"].timestamp(), row["price_e6"], row["fidelity_s"])
        for row in replayed.rows("history_prices")
    ] == [(point["timestamp"], round(point["price"] * 1e6), point["resolution_seconds"]) for point in page]


def test_recorded_settlements_are_evidence_in_resolutions(replayed: Replayed) -> None:
    """Both generations; the catalogue knows none of these markets, and without its word there is no label."""
    names = [name for name in recorded.files(replayed.folder) if name.startswith("data/v2_resolutions_")]
    told = {
        f"pm:{row['condition_id']}": row for name in names for row in recorded.rows(replayed.folder, name)
    }
    at = LATER - timedelta(days=1)
    rows = [known_market(id_, at, phase="closed") for id_ in told]
    replayed.lake.publish_rows("markets", rows, part="0", at=at)
    resolving.resolve(replayed.lake, replayed.venue, clock=lambda: LATER)
    stored = {row["market_id"]: row for row in replayed.rows("resolutions")}
    assert stored.keys() == told.keys()
    for market_id, row in stored.items():
        evidence = json.loads(row["evidence"])["data"]
        assert evidence["payouts_e6"] == told[market_id].get("payouts")
        assert evidence["reporter"] == told[market_id].get("reporter")
        assert row["label"] is None
        assert row["state"] == ("proposed" if told[market_id]["status"] == "resolved" else "open")
