"""The venue: clients, wire records, parsers. The only readers of raw JSON in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings
    from polymarket_assets.venue.services import Venue


def connect(settings: Settings, *, rank: int | None = None) -> Venue:
    """The venue's services at the addresses of the settings; close it afterwards. `rank`: the place in line, None the last.

    Imported only now: the streamer reads frames and needs no clients.
    """
    from polymarket_assets.venue import limits, services

    return services.connect(settings, rank=limits.LAST if rank is None else rank)
