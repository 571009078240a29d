"""What happens in the market and to models: rows and records as the platform writes them, each time of something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import dagster as dg

from drills.alert_place import Place, made
from drills.forced import Forced
from drills.forced.rows import listed, row
from polymarket_assets.watching.models import DECIDED


@contextmanager
def whale(place: Place) -> Iterator[Forced]:
    """A large order."""
    number = count()

    def wrong() -> None:
        order = row("whale_events", event_id=f"e{next(number)}", traded_at=place.now, usd_e6=80_000_000_000, market_id="pm:a", price=0.4, is_buy=True)  # fmt: skip
        place.lake.publish_rows("whale_events", [order], part=order["event_id"], at=place.now)

    yield Forced(wrong)


@contextmanager
def edge(place: Place) -> Iterator[Forced]:
    """A forecast beside a book that offers for less."""
    number = count()

    def wrong() -> None:
        n = next(number)
        market, at = f"pm:{n}", place.now
        listed(place, market, f"e{n}")
        said = row("predictions", model_version="polymarket/3", market_id=market, as_of=at, created_at=at, mid=0.5, probability=0.62, correction_sd=0.02)  # fmt: skip
        place.lake.publish_rows("predictions", [said], part=f"e{n}", at=at)
        levels = {side: [{"price_e6": price, "size_e6": 100_000_000}] for side, price in (("bids", 495_000), ("asks", 505_000))}  # fmt: skip
        book = {"market_id": market, "slot_at": at, "received_at": at, "token_id": "1", "hash": "", **levels}
        place.lake.publish_rows("orderbooks", [book], part=f"e{n}", at=at, tier="t4")

    yield Forced(wrong)


@contextmanager
def day_over(place: Place) -> Iterator[Forced]:
    """Midnight, and half an hour: the digest, and how many markets resolved."""

    def wrong() -> None:
        day = place.now.replace(hour=0, minute=0, second=0, microsecond=0)
        end = row("resolutions", market_id="pm:a", seen_at=place.now, state="final", label=1, evidence="{}", source="polymarket", version=1)  # fmt: skip
        place.lake.publish_rows("resolutions", [end], part=f"{place.now:%d}", at=place.now)
        place.now = day + timedelta(days=1, minutes=31)

    yield Forced(wrong)


@contextmanager
def decided(place: Place) -> Iterator[Forced]:
    """A review grants one step and refuses another; the same again the day after is no news."""
    number = count(3)

    def wrong() -> None:
        n = next(number)
        said = [f"polymarket/{n}: challenger to shadow: granted, all 9 gates hold", f"polymarket/{n}: shadow to champion: refused: too few weeks"]  # fmt: skip
        made(place, "promotion", place.now, **{DECIDED: dg.MetadataValue.json(said)})

    yield Forced(wrong)
