"""The venue as one object: its three services, at the addresses and with the share of limits that settings name."""

from __future__ import annotations

from dataclasses import dataclass

from polymarket_assets.settings import Settings
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.clob import Clob
from polymarket_assets.venue.data_api import DataApi
from polymarket_assets.venue.gamma import Gamma
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import Limits


@dataclass(frozen=True)
class Venue:
    """One of each service. Not safe for threads: a thread connects its own."""

    gamma: Gamma
    clob: Clob
    data: DataApi

    def close(self) -> None:
        """Close the connections."""
        for service in (self.gamma, self.clob, self.data):
            service.close()


def connect(settings: Settings) -> Venue:
    """The venue at the addresses of the settings; nothing is asked yet."""
    limits = Limits(settings.rate_share)

    def service(name: str, url: str) -> Service:
        return Service(name, url, limits, Breaker(name))

    clob = service("clob", settings.polymarket_clob_url)
    data = service("data", settings.polymarket_data_url)
    gamma = service("gamma", settings.polymarket_gamma_url)
    return Venue(Gamma(gamma), Clob(clob), DataApi(data, clob))
