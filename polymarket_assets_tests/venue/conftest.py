"""A server and clients to it; retries do not wait here, unless a test wants to see them wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.http import ATTEMPTS, Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets_tests.venue.server import Server, serving


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def service(server: Server) -> Iterator[Service]:
    """A service at the server: all of the published limits, short time-outs."""
    opened = Service("clob", server.url, Limits(1.0), Breaker("clob"), timeouts=(1.0, 0.5))
    yield opened
    opened.close()
