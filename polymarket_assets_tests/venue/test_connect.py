"""The venue as its users get it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from polymarket_assets import venue
from polymarket_assets.settings import load
from polymarket_assets_tests.venue.server import Server, told


def test_settings_name_the_addresses_and_the_share(server: Server) -> None:
    opened = venue.connect(
        load(polymarket_gamma_url=f"{server.url}/gamma/", polymarket_clob_url=f"{server.url}/clob", polymarket_data_url=f"{server.url}/data", rate_share=0.2)
    )  # fmt: skip
    server.on("/gamma/markets/keyset", told({"markets": []}))
    server.on("/clob/books", told([]))
    list(opened.gamma.markets(closed=False))
    opened.clob.books(["1"])
    opened.close()
    assert [asked.path for asked in server.asked] == ["/gamma/markets/keyset", "/clob/books"]
    assert opened.clob.service.limits is opened.gamma.service.limits
    assert opened.clob.service.limits.allowed["clob /books"] == 100


@pytest.mark.parametrize("state", [False, True])
def test_many_connections_keep_the_limits_together_and_one_account(server: Server, tmp_path: Path, state: bool) -> None:  # fmt: skip
    """A thread for each would otherwise ask as much as a process may, each of them."""
    settings = load(
        polymarket_data_url=f"{server.url}/data", rate_share=0.2, state_dir=tmp_path if state else None
    )
    server.on("/data/v2/status", told({"data": {"status": "ok"}}))
    opened = venue.connect_many(settings, 3)
    assert len({id(each.data.service.limits) for each in opened.venues}) == 1
    assert len({id(each.data.service.session) for each in opened.venues}) == 3
    for each in opened.venues:
        each.data.status()
    account = opened.account()["data"]
    opened.close()
    assert (account["requests"], account["retries"], account["breaker"]) == (3, 0, "closed")


def test_which_generation_answers_is_asked_once_for_all_connections(server: Server) -> None:
    """Each of them would find out by a request that fails."""
    server.on("/data/trades", told([]))
    opened = venue.connect_many(load(polymarket_data_url=f"{server.url}/data"), 3)
    assert opened.data_generation() == "v1"
    assert [each.data.generation for each in opened.venues] == ["v1"] * 3
    assert [asked.path for asked in server.asked] == ["/data/v2/status", "/data/trades"]
    opened.close()


def test_reading_frames_loads_no_clients() -> None:
    """The streamer starts in a third of a second; an HTTP stack would cost it most of that."""
    code = "import sys, polymarket_assets.venue.frames; print(sorted({'requests', 'pybreaker', 'stamina', 'pydantic'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
