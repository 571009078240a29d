"""The venue as one object: its three services, at the addresses and with the share of limits that settings name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from polymarket_assets.settings import Settings
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.clob import Clob
from polymarket_assets.venue.data_api import DataApi
from polymarket_assets.venue.gamma import Gamma
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import LAST, Limits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Venue:
    """One of each service. Not safe for threads: a thread connects its own."""

    gamma: Gamma
    clob: Clob
    data: DataApi

    def account(self) -> dict[str, dict[str, int | float | str]]:
        """The account of each service that was asked; see `Service.account`."""
        services = (self.gamma.service, self.clob.service, self.data.service)
        return {service.name: service.account() for service in services if service.traffic.requests}

    def close(self) -> None:
        """Close the connections."""
        for service in (self.gamma, self.clob, self.data):
            service.close()


@dataclass(frozen=True)
class Connections:
    """Several venues under the same limits, one for each thread that asks."""

    venues: tuple[Venue, ...]

    def data_generation(self) -> str:
        """Which generation of the Data API answers, as the doctor finds out: asked once, and told to all.

        Raises:
            Refused: neither does.
            Unavailable: it does not answer now.
        """
        generation = self.venues[0].data.status().generation
        for venue in self.venues:
            venue.data.generation = generation
        return generation

    def account(self) -> dict[str, dict[str, int | float | str]]:
        """The accounts of all together; of breakers the first that is not closed."""
        found: dict[str, dict[str, int | float | str]] = {}
        for venue in self.venues:
            for name, account in venue.account().items():
                found[name] = _together(found[name], account) if name in found else account
        return found

    def close(self) -> None:
        """Close all connections."""
        for venue in self.venues:
            venue.close()


def _together(
    one: dict[str, int | float | str], other: dict[str, int | float | str]
) -> dict[str, int | float | str]:
    breaker = one["breaker"] if one["breaker"] != "closed" else other["breaker"]
    counts = {name: value + other[name] for name, value in one.items() if not isinstance(value, str)}  # type: ignore[operator]
    return {**counts, "breaker": breaker}


# In `STATE_DIR`: the buckets of all processes of the host.
LIMITS_FILE = "rate_limits"


def connect(settings: Settings, *, rank: int = LAST) -> Venue:
    """The venue at the addresses of the settings; nothing is asked yet.

    With `STATE_DIR` its limits are kept together with every other process of the host; `rank` is the place in line, 0 before all.
    """
    return _connected(settings, Limits(settings.rate_share, file=_file(settings), rank=rank))


def connect_many(settings: Settings, count: int, *, rank: int = LAST) -> Connections:
    """So many connected venues for as many threads; they keep the limits together, with and without `STATE_DIR`."""
    limits = Limits(settings.rate_share, file=_file(settings), rank=rank)
    return Connections(tuple(_connected(settings, limits) for _ in range(count)))


def _connected(settings: Settings, limits: Limits) -> Venue:
    def service(name: str, url: str) -> Service:
        return Service(name, url, limits, Breaker(name))

    clob = service("clob", settings.polymarket_clob_url)
    data = service("data", settings.polymarket_data_url)
    gamma = service("gamma", settings.polymarket_gamma_url)
    return Venue(Gamma(gamma), Clob(clob), DataApi(data, clob))


def _file(settings: Settings) -> Path | None:
    """Where the buckets are shared; None where there is no folder for it, or none that can be written."""
    if settings.state_dir is None:
        return None
    file = settings.state_dir / LIMITS_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as e:
        log.warning("rate limits are kept by this process alone: %s cannot be written (%s)", file, e.strerror)
        return None
    return file
