"""The venue as its users get it."""

from __future__ import annotations

import subprocess
import sys

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


def test_reading_frames_loads_no_clients() -> None:
    """The streamer starts in a third of a second; an HTTP stack would cost it most of that."""
    code = "import sys, polymarket_assets.venue.frames; print(sorted({'requests', 'pybreaker', 'stamina', 'pydantic'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
