"""What happened is told with what it was: the largest orders first, and yesterday once it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drills.forced.rows import row
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.watching import happenings
from polymarket_assets.watching.findings import Event, Watched

NOW = datetime(2026, 11, 2, 0, 31, tzinfo=UTC)


def watched(lake: Lake, now: datetime = NOW) -> Watched:
    return Watched(Settings(_env_file=None, lake_root=lake.root, alert_whale_usd=25_000), now, lambda: lake)  # type: ignore[call-arg]


def ordered(lake: Lake, **usd: int) -> None:
    for name, dollars in usd.items():
        order = row("whale_events", event_id=name, traded_at=NOW - timedelta(hours=1), usd_e6=dollars * 1_000_000, market_id="pm:a", price=0.4, is_buy=True)  # fmt: skip
        lake.publish_rows("whale_events", [order], part=name, at=NOW - timedelta(hours=1))


def test_orders_are_told_from_the_least_on_and_the_largest_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Of too many the smaller ones are told when larger ones are too old to be looked at."""
    ordered(lake, small=24_999, least=25_000, large=80_000, larger=90_000)
    told = [one for one in happenings.whales(watched(lake)) if isinstance(one, Event)]
    assert [one.key for one in told] == ["whale:larger", "whale:large", "whale:least"]
    assert "$90,000 bought of outcome" in told[0].text
    monkeypatch.setattr(happenings, "MOST_WHALES", 2)
    assert [one.key for one in happenings.whales(watched(lake)) if isinstance(one, Event)] == ["whale:larger", "whale:large"]  # fmt: skip
    assert list(happenings.whales(watched(lake, NOW + happenings.WHALES_BACK))) == []


def test_yesterday_is_told_once_it_is_known(lake: Lake) -> None:
    end = row("resolutions", market_id="pm:a", seen_at=NOW - timedelta(hours=2), state="final", label=1, evidence="{}", source="polymarket", version=1)  # fmt: skip
    lake.publish_rows("resolutions", [end], part="0", at=NOW - timedelta(hours=2))
    ordered(lake, large=80_000)
    assert list(happenings.days(watched(lake, NOW - timedelta(minutes=2)))) == []
    resolved, digest = (one for one in happenings.days(watched(lake)) if isinstance(one, Event))
    assert (resolved.key, digest.key) == ("resolved:2026-11-01", "digest:2026-11-01")
    assert "1 markets were seen to resolve with a label (1 YES)" in resolved.text
    assert "1 large orders" in digest.text
