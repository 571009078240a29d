"""The venue: clients, wire records, parsers. The only readers of raw JSON in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings
    from polymarket_assets.venue.services import Venue


def connect(settings: Settings) -> Venue:
    """The venue's services at the addresses of the settings; close it afterwards.

    Imported only now: the streamer reads frames and needs no clients.
    """
    from polymarket_assets.venue import services

    return services.connect(settings)
