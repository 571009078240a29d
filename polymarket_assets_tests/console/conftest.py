"""A browser for each module that looks at pages, which says by its fixture `address` where they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from polymarket_assets_tests.console.browsing import DESKTOP, Told, chromium, looked


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def told(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Told]:
    with looked(browser, address, request.param) as told:
        yield told
