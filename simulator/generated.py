"""A generated venue, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.catalogue import Generated
from simulator.clob import Clob
from simulator.data import DataApi
from simulator.edge import EDGE_LOGIT
from simulator.engine import Engine
from simulator.exchange import Exchange
from simulator.faults import script
from simulator.faults.control import Control
from simulator.gamma import Gamma
from simulator.ledger import Ledger
from simulator.profiles import PROFILES, Profile, times
from simulator.server import Venue
from simulator.sockets import PING_TIMEOUT_S, Hub
from simulator.universe import Universe


def venue(
    *,
    seed: int,
    ledger: Path | None,
    profile: str | Profile = "demo",
    edge: float = EDGE_LOGIT,
    overpaid: float | None = None,
    v1_data: bool = False,
    v2_data: bool = True,
    ping_timeout_s: float = PING_TIMEOUT_S,
    clock: Callable[[], float] = time.time,
    faults: Path | None = None,
    rate: float | None = None,
    places: float = 1.0,
) -> Venue:
    """Everything a seed decides, ready to be served from now on; `overpaid` takes the place of what the profile says, `faults` is a script. Raises `ValueError` and `OSError` for what cannot be."""
    planned = script.read(faults) if faults is not None else []
    sizes = times(_at_rate(profile if isinstance(profile, Profile) else PROFILES[profile], rate), places)
    if overpaid is not None:
        sizes = replace(sizes, overpaid_logit=overpaid)
    universe = Universe(seed, sizes, clock(), edge)
    exchange = Exchange(universe, seed, clock)
    told = Ledger(ledger)
    told.write(
        "universe",
        seed=seed,
        profile=sizes.name,
        edge_logit=edge,
        overpaid_logit=sizes.overpaid_logit,
        started_at=universe.start,
    )
    hub = Hub(exchange, told, clock, ping_timeout_s, seed)
    engine = Engine(exchange, hub, told)
    engine.begin()
    told.flush()
    services = {
        "gamma": Gamma(Generated(exchange)).routes(),
        "clob": Clob(exchange).routes(),
        "data": DataApi(exchange, v1=v1_data, v2=v2_data).routes(),
    }
    loops = [*engine.loops(), *([script.follow(planned, hub.faults)] if planned else [])]
    return Venue(services, hub.serve, loops, lambda: _summary(exchange, hub, engine, told), told, hub.close_all, Control(hub).routes(), hub.faults.serve)  # fmt: skip


def _at_rate(profile: Profile, rate: float | None) -> Profile:
    if rate is None:
        return profile
    if profile.rate is None:
        raise ValueError(f"--rate is for profiles that have one: {profile.name} is as lively as its markets, choose --profile busy")  # fmt: skip
    if rate <= 0:
        raise ValueError(f"--rate {rate:g} is no rate: give a number above 0")
    return replace(profile, rate=rate)


def _summary(exchange: Exchange, hub: Hub, engine: Engine, ledger: Ledger) -> dict[str, Any]:
    now = exchange.clock()
    markets = list(exchange.universe.markets.values())
    closed = sum(market.closed(now) for market in markets)
    return {
        "seed": exchange.seed,
        "profile": exchange.universe.profile.name,
        "started_at": exchange.started_at,
        "markets": len(markets),
        "listed": ledger.counts.get("listed", 0),
        "open": len(markets) - closed,
        "closed": closed,
        "books": len(exchange.floors),
        "resolved": engine.resolved,
        "trades": ledger.counts.get("trade", 0),
        "frames": ledger.counts.get("frames", 0),
        "sockets": len(hub.sockets),
        "faults": len(hub.faults.on),
        "requests": ledger.counts.get("response", 0),
    }
