"""The venue: clients, wire records, parsers. The only readers of raw JSON in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings
    from polymarket_assets.venue.services import Connections, Venue


def connect(settings: Settings, *, rank: int | None = None) -> Venue:
    """The venue's services at the addresses of the settings; close it afterwards. `rank`: the place in line, None the last.

    Imported only now: the streamer reads frames and needs no clients.
    """
    from polymarket_assets.venue import limits, services

    return services.connect(settings, rank=limits.LAST if rank is None else rank)


def connect_many(settings: Settings, count: int, *, rank: int | None = None) -> Connections:
    """So many venues under the same limits, for as many threads; close them afterwards."""
    from polymarket_assets.venue import limits, services

    return services.connect_many(settings, count, rank=limits.LAST if rank is None else rank)
